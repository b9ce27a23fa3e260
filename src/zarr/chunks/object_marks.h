// Fingerprints by which a resumed run recognises objects.
#pragma once

#include "rechunk/observer.h"
#include "rechunk/store.h"

namespace rechunk {

/// Notes an object that a task asked for, whether it exists or not.
void note_source(StageReport& report, const ReadRequest& request);

/// Notes an object that was written.
void note_written(StageReport& report, std::string_view key, std::int64_t bytes,
                  std::uint64_t content);

/// Notes an object of a target, if it exists, in the same way as
/// `note_written`; its content only if there is a buffer for reading. The first
/// `header_bytes` count after the others, because they were written last.
void note_existing(ObjectSums& sums, const Store& store, const std::string& key,
                   std::int64_t header_bytes, std::span<std::byte> buffer);

/// Adds the noted source objects of one task to `report.read`: each object
/// once, even if the task asked for it several times.
void sum_sources(StageReport& report);

}  // namespace rechunk

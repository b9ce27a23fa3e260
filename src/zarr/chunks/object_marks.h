// What tells that objects are those that a task read or wrote.
#pragma once

#include "rechunk/observer.h"
#include "rechunk/store.h"

namespace rechunk {

/// Notes an object that was asked for, there or not.
void note_source(StageReport& report, const ReadRequest& request);

/// Notes an object that was written.
void note_written(StageReport& report, std::string_view key, std::int64_t bytes,
                  std::uint64_t content);

/// Notes an object of a target, if it is there, as `note_written` did; its
/// content only where there is a buffer to read it with. The first
/// `header_bytes` count behind the others, as they were written.
void note_existing(ObjectSums& sums, const Store& store, const std::string& key,
                   std::int64_t header_bytes, std::span<std::byte> buffer);

/// Adds what was noted of one task's sources to `report.read`: each object
/// once, however often the task asked for it.
void sum_sources(StageReport& report);

}  // namespace rechunk

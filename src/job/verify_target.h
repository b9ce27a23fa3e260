// Decodes the target again: its digests must be those of what was read.
#pragma once

#include <optional>
#include <vector>

#include "base/digest.h"
#include "job/planned_job.h"
#include "verify/digest_array.h"

namespace rechunk {

/// Sets the digests in `report`. `read_digests`: by array, of what the first
/// stage read; where nothing, the source is read again.
/// Throws: corrupt (names the array, which the journal then forgets), and what
/// reading throws.
void verify_target(const PlannedJob& job,
                   const std::vector<std::optional<Digest>>& read_digests,
                   const ReadOptions& options, Report& report);

}  // namespace rechunk

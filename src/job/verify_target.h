// Decodes the target again. Its digests must equal those of the elements that
// were read.
#pragma once

#include <optional>
#include <vector>

#include "base/digest.h"
#include "job/planned_job.h"
#include "rechunk/report.h"
#include "verify/digest_array.h"

namespace rechunk {

/// Sets the digests in `report`. `read_digests`: for each array the digest of
/// what the first stage read. If there is none, the source is read again.
/// Throws: corrupt (names the array; the journal then forgets it), and what
/// reading throws.
void verify_target(const PlannedJob& job,
                   const std::vector<std::optional<Digest>>& read_digests,
                   const ReadOptions& options, Report& report);

}  // namespace rechunk

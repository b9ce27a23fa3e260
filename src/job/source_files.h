// Files of a source that are not Zarr: tables, sidecars and documents of other
// formats, beside its arrays and groups.
#pragma once

#include <string_view>

#include "base/memory_budget.h"
#include "job/planned_job.h"
#include "rechunk/report.h"

namespace rechunk {

/// True if a key of a store belongs to no array and no group of the hierarchy.
/// It is not a metadata document, its name is not that of a chunk, and no run
/// of rechunk made it for itself.
bool is_file(const Hierarchy& hierarchy, std::string_view key);

/// Copies those of the job's source to the same keys of its target, in blocks
/// of at most a MiB from `budget`; with `verify` reads them again. Does nothing
/// if the target existed before, if the source's documents are elsewhere, or
/// with `without_files`. If a file cannot be read, this is noted. Objects of
/// unread arrays are always copied in the same way. They are not reported as
/// files.
/// Throws: io, corrupt (a file changed meanwhile), invalid_argument (the source
/// is not what it was when the run was planned).
void copy_files(const PlannedJob& job, MemoryBudget& budget, Report& report);

}  // namespace rechunk

// Files of a source that are no Zarr: tables, sidecars and documents of other
// formats that lie beside its arrays and groups and belong to them.
#pragma once

#include <string_view>

#include "base/memory_budget.h"
#include "job/planned_job.h"

namespace rechunk {

/// True if a key of a store belongs to no array and no group of the hierarchy:
/// it is neither a metadata document, nor named as chunks are, nor something
/// that a run of rechunk keeps for itself.
bool is_file(const Hierarchy& hierarchy, std::string_view key);

/// Copies those of the job's source to the same keys of its target, in blocks
/// of at most a MiB from `budget`; with `verify` reads them again. Does nothing
/// where the target existed before, where the source's documents lie elsewhere,
/// and `without_files`. What cannot be read is noted.
/// Objects of unread arrays are copied in the same way, whatever the options
/// say, and are not reported as files.
/// Throws: io, corrupt (a file changed meanwhile), invalid_argument (the source
/// is not what it was when the run was planned).
void copy_files(const PlannedJob& job, MemoryBudget& budget, Report& report);

}  // namespace rechunk

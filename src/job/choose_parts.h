// Which parts of a target that exists are written, and from which parts of the
// source.
#pragma once

#include "job/planned_job.h"

namespace rechunk {

/// Makes source and target of a job the parts that are copied.
/// Throws: invalid_argument (a region that is not aligned names the one that
/// would do), not_found, corrupt, unsupported.
void choose_parts(PlannedJob& job);

/// The parts of hierarchies that have the shapes of `job.existing`'s regions
/// are found in their stores: for a job that was planned or loaded.
void place_parts(PlannedJob& job);

/// The source as the job's, where it is a part of a larger one.
Hierarchy part_of_source(const PlannedJob& job, Hierarchy source);

}  // namespace rechunk

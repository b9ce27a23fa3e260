// Which parts of a target that exists are written, and from which parts of the
// source.
#pragma once

#include "job/planned_job.h"

namespace rechunk {

/// Replaces source and target of a job by the parts that are copied.
/// Throws: invalid_argument (if a region is not aligned, the message names one
/// that is), not_found, corrupt, unsupported.
void choose_parts(PlannedJob& job);

/// The parts of hierarchies that have the shapes of `job.existing`'s regions
/// are found in their stores: for a job that was planned or loaded.
void place_parts(PlannedJob& job);

/// The reader of the job's source, if that is a part of a larger array.
Hierarchy part_of_source(const PlannedJob& job, Hierarchy source);

}  // namespace rechunk

// Measures what a job's codecs and disks cost on this machine and this data,
// where the planner would else take estimates.
#pragma once

#include <vector>

#include "job/planned_job.h"
#include "plan/planner.h"

namespace rechunk {

/// Decodes a few chunks of each array that is more than a small part of the
/// job, encodes their elements as the target's, looks for some more to learn
/// how many are missing, writes and reads nameless files where the job will,
/// all on as many threads as the job has and its memory allows, and puts what
/// it finds into the problems' traits. Takes some tenths of a
/// second, and no more than the job's memory; what cannot be measured (damaged
/// or missing chunks, places that are no paths) stays as it was estimated.
void calibrate(const PlannedJob& job, std::vector<ArrayProblem>& problems);

}  // namespace rechunk

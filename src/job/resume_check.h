// What of an earlier process' work still holds when a run goes on.
#pragma once

#include <vector>

#include "job/job_runner.h"
#include "job/journal.h"
#include "job/planned_job.h"

namespace rechunk {

/// The records that hold; others are erased. A task that was done counts as not
/// done where its record is torn, or where what it wrote is gone and is still
/// needed. Needs the run's lock.
std::vector<Journal::Record> records_that_hold(const PlannedJob& job,
                                               Journal& journal,
                                               const JobRunner& runner);

}  // namespace rechunk

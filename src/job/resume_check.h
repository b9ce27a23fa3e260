// What of an earlier process' work still holds when a run goes on.
#pragma once

#include <vector>

#include "job/job_runner.h"
#include "job/planned_job.h"
#include "journal/journal.h"

namespace rechunk {

/// The records that hold; others are erased. A task that was done counts as not
/// done where its record is torn, where the objects that it wrote are not those
/// that are there (by name and size; by content, too, if the options ask to
/// check that), or where its intermediate is gone and still needed. Needs the
/// run's lock.
/// Throws: invalid_argument if the source has changed since it was read.
std::vector<Journal::Record> records_that_hold(const PlannedJob& job,
                                               Journal& journal,
                                               const JobRunner& runner);

/// The documents that the plan was made from are still those of the source.
/// Throws: invalid_argument if they are not.
void check_documents(const PlannedJob& job);

/// What was done of an array is wrong: a run that goes on does it again.
void forget_array(const PlannedJob& job, int array) noexcept;

}  // namespace rechunk

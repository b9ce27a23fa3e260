// Checks which work of an earlier process is still valid when a run is resumed.
#pragma once

#include <vector>

#include "job/job_runner.h"
#include "job/planned_job.h"
#include "journal/journal.h"

namespace rechunk {

/// The records that are still valid; others are erased. A finished task counts
/// as not done in three cases: its record is damaged; the objects that it wrote
/// have changed (name and size; also content, if the options say so); its
/// intermediate is gone and still needed. Needs the run's lock.
/// Throws: invalid_argument if the source has changed since it was read.
std::vector<Journal::Record> records_that_hold(const PlannedJob& job,
                                               Journal& journal,
                                               const JobRunner& runner);

/// Checks that the source still has the documents from which the plan was made.
/// Throws: invalid_argument if not.
void check_documents(const PlannedJob& job);

/// The work on an array is wrong: forgets it, so that a resumed run does it
/// again.
void forget_array(const PlannedJob& job, int array) noexcept;

}  // namespace rechunk

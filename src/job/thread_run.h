// A whole run on threads of this process.
#pragma once

#include <stop_token>

#include "job/leader.h"
#include "job/planned_job.h"
#include "rechunk/report.h"

namespace rechunk {

/// Leads a run from beginning to commit. `job`: with its plan file.
/// Throws: as Job::run.
Report run_on_threads(const PlannedJob& job, Unfinished unfinished,
                      Observer* observer, std::stop_token stop);

}  // namespace rechunk

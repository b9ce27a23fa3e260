// Plans with estimates, or with what was measured on this machine.
#pragma once

#include <vector>

#include "job/planned_job.h"
#include "plan/planner.h"

namespace rechunk {

/// Plans the arrays of the job. If `Options::calibrate` says so, measures their
/// costs, puts them into the problems, and plans again. Work that another run
/// has begun is not measured: it has its plan. Throws: as make_plan.
void weigh_plan(PlannedJob& job, std::vector<ArrayProblem>& problems);

}  // namespace rechunk

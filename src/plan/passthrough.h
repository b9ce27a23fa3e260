// Plans for arrays whose encoded bytes are moved untouched. Pure.
#pragma once

#include "plan/planner.h"

namespace rechunk {

/// Moves whole objects. `spec` has the array's names and shapes, no stages yet.
StagedCopySpec plan_passthrough(const ArrayProblem& array, StagedCopySpec spec);

}  // namespace rechunk

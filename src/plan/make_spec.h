// The plan of one array, with all that is predicted of it, from the shapes of
// its tasks. Pure.
#pragma once

#include "plan/planner.h"
#include "plan/staging.h"

namespace rechunk {

/// The part of a plan that only depends on the array.
StagedCopySpec empty_spec(const ArrayProblem& array);

/// The fewest bytes that a task of a stage holds. The plan's stages have their
/// shapes. Throws: invalid_argument (sizes overflow).
std::int64_t needed_task_bytes(const ArrayProblem& array,
                               const StagedCopySpec& plan, std::size_t stage);

/// Throws: invalid_argument (sizes overflow).
StagedCopySpec make_spec(const ArrayProblem& array, const Staging& staging,
                         const PlanOptions& options);

}  // namespace rechunk

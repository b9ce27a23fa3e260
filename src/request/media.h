// Media of stores in the planner's terms.
#pragma once

#include "plan/planner.h"
#include "rechunk/array_source.h"

namespace rechunk {

/// Tells the problem what it costs to reach the places of its array. Places in
/// this machine's memory or page cache keep the planner's own coefficients.
/// `threads`: of the process; they share what a place can do.
void add_media(const Stores& stores, int threads, ArrayProblem& problem);

}  // namespace rechunk

// Media of stores in the planner's terms.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/planner.h"
#include "rechunk/array_source.h"

namespace rechunk {

/// Tells the problem what it costs to reach the places of its array. Places in
/// this machine's memory or page cache keep the planner's own coefficients, and
/// get those of a disk that was not measured, for jobs that the cache cannot
/// hold.
/// `threads`: of the process; they share what a place can do.
void add_media(const Stores& stores, int threads, ArrayProblem& problem);

/// Tells all arrays of a job what the page cache can hold, and what the job
/// moves through it.
void add_page_cache(std::int64_t cache_bytes,
                    std::vector<ArrayProblem>& problems);

}  // namespace rechunk

// The time that a plan should take. This model ranks plans and predicts run
// times. Pure. DESIGN.md, "What a plan costs".
#pragma once

#include "plan/planner.h"
#include "rechunk/plan.h"

namespace rechunk {

/// One stage, in nanoseconds of one thread.
struct StageCost {
  double read = 0;   ///< Requests, bytes, decoding.
  double copy = 0;   ///< Moving elements in memory.
  double write = 0;  ///< Encoding, objects, bytes.

  double total() const { return read + copy + write; }
};

/// Reading the source in blocks. Each block reads everything that it needs.
double source_read_cost(const ArrayProblem& array, const Shape& block);

/// Writing all objects of an intermediate, and reading it in blocks of a later
/// stage. `coded`: through the light codec, if that is faster.
double packed_write_cost(const ArrayProblem& array, const Shape& task,
                         bool coded);
double packed_read_cost(const ArrayProblem& array, const Shape& task,
                        const Shape& block, bool coded);

/// Encoding and writing the whole target.
double target_write_cost(const ArrayProblem& array);

/// Moving every element once, from the order of one grid to that of another.
double copy_cost(const ArrayProblem& array, const Shape& from, const Shape& to);

/// The time for memory, if each thread holds that many bytes: pages that are
/// touched first, and data that does not fit into caches.
double memory_cost(std::int64_t task_bytes, int threads);

/// Stage `index` of a finished plan.
StageCost stage_cost(const ArrayProblem& array, const StagedCopySpec& plan,
                     std::size_t index);

/// How many tasks of that many bytes run at a time.
int tasks_at_once(std::int64_t task_bytes, const PlanOptions& options);

/// Wall-clock nanoseconds of all stages, one after the other, each with as many
/// tasks at a time as fit.
double predicted_nanoseconds(const ArrayProblem& array,
                             const StagedCopySpec& plan,
                             const PlanOptions& options);

}  // namespace rechunk

// The proof that a plan is safe to run, from the plan's own numbers and
// without the reasoning that made it.
#include <fmt/format.h>

#include "plan/make_spec.h"
#include "plan/planner.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

[[noreturn]] void fail(const StagedCopySpec& array, std::size_t stage,
                       std::size_t axis, const std::string& cause) {
  throw Error(
      ErrorKind::kInternal,
      fmt::format("checking the plan of array '{}', stage {}, axis {}: {}",
                  array.name, stage + 1, axis, cause));
}

// Two cells of a regular grid never share a cell of another grid if all their
// cuts inside the array are cuts of the other.
bool cuts_agree(std::int64_t step, std::int64_t length, std::int64_t other) {
  return step >= length || step % other == 0;
}

void check_axis(const StagedCopySpec& array, const ArrayProblem& problem,
                std::size_t stage, std::size_t axis) {
  const CopySpec& spec = array.stages[stage];
  const std::int64_t length = array.shape[axis], step = spec.chunks[axis];
  const bool last = stage + 1 == array.stages.size();
  if (step < 1 || (step > length && length > 0))
    fail(array, stage, axis, fmt::format("tasks of length {}", step));
  if (array.component[axis] < 1 || spec.block[axis] < 1)
    fail(array, stage, axis, "components or blocks without elements");
  if (!cuts_agree(array.component[axis], length, step))
    fail(array, stage, axis, "a task lies in two components");
  if (last && !cuts_agree(step, length, problem.target.objects[axis]))
    fail(array, stage, axis, "two tasks write one object");
  if (last && !cuts_agree(spec.block[axis], length, problem.target.units[axis]))
    fail(array, stage, axis, "two blocks hold one chunk");
  if (step < length && step % spec.block[axis] != 0)
    fail(array, stage, axis, "a block lies in two tasks");
  if (!last && !(spec.block == spec.chunks))
    fail(array, stage, axis, "an intermediate is written in blocks");
}

// A plan may come from a file, and be of another array.
void check_identity(const StagedCopySpec& array, const ArrayProblem& problem) {
  const std::size_t rank = problem.shape.size();
  if (array.name != problem.name || array.shape != problem.shape ||
      array.item_bytes != problem.item_bytes ||
      array.component.size() != rank || array.source_chunks.size() != rank ||
      array.target_chunks.size() != rank || array.stages.empty())
    fail(array, 0, 0, "it is of another array");
  if (array.method == Method::kPassthrough && !problem.same_encoding &&
      !problem.same_chunk_encoding)
    fail(array, 0, 0, "encoded objects differ and cannot be moved");
}

void check_array(const StagedCopySpec& array, const ArrayProblem& problem,
                 std::int64_t budget) {
  check_identity(array, problem);
  for (std::size_t stage = 0; stage < array.stages.size(); ++stage) {
    const CopySpec& spec = array.stages[stage];
    if (spec.chunks.size() != array.shape.size() ||
        spec.block.size() != array.shape.size())
      fail(array, stage, 0, "ranks differ");
    // The cells of any regular grid cover the array exactly once. So only what
    // they share with objects and components is checked.
    for (std::size_t axis = 0; axis < array.shape.size(); ++axis)
      check_axis(array, problem, stage, axis);
    if (spec.tasks != Grid(array.shape, spec.chunks).cell_count())
      fail(array, stage, 0, fmt::format("{} tasks", spec.tasks));
    if (spec.tasks > 0 && spec.max_task_bytes > budget)
      fail(array, stage, 0,
           fmt::format("a task needs {} bytes, the budget is {}",
                       spec.max_task_bytes, budget));
    const std::int64_t needed =
        spec.tasks > 0 ? needed_task_bytes(problem, array, stage) : 0;
    if (spec.max_task_bytes < needed)
      fail(array, stage, 0,
           fmt::format("a task has {} bytes, it needs {}", spec.max_task_bytes,
                       needed));
    if (stage > 0 && spec.source != array.stages[stage - 1].target)
      fail(array, stage, 0, "it does not read what the stage before wrote");
  }
}

}  // namespace

void validate(const Plan& plan, const std::vector<ArrayProblem>& arrays) {
  if (plan.threads < 1 || plan.arrays.size() != arrays.size())
    throw Error(ErrorKind::kInternal,
                fmt::format("checking the plan: {} threads, {} arrays of {}",
                            plan.threads, plan.arrays.size(), arrays.size()));
  for (std::size_t index = 0; index < plan.arrays.size(); ++index) {
    const StagedCopySpec& array = plan.arrays[index];
    if (array.window < 1) fail(array, 0, 0, "no request at a time");
    check_array(array, with_window(arrays[index], array.window),
                plan.max_memory);
  }
}

}  // namespace rechunk

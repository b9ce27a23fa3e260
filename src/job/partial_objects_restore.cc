// What an append leaves of the partial objects that it wrote, given up.
#include "base/memory_budget.h"
#include "exec/array_copy.h"
#include "job/job_runner.h"
#include "job/partial_objects.h"
#include "plan/make_spec.h"
#include "plan/staging.h"
#include "rechunk/error.h"
#include "request/array_problem.h"

namespace rechunk {
namespace {

// The kept elements as an array of their own: copied onto itself, object by
// object, it has nothing but fill behind its end.
ArrayMetadata kept_array(const PlannedJob& job, const std::string& path) {
  ArrayMetadata array = job.target.arrays.at(path);
  array.shape = job.existing->arrays.at(path).kept.region(array.shape).extent();
  return array;
}

StagedCopySpec plan_restoring(const ArrayMetadata& kept,
                              const std::string& path, const Options& options) {
  const ArrayProblem problem =
      make_problem(path, kept, kept, {.decodes = true});
  auto staging = stage_rereading(problem, options.max_memory, 1);
  if (!staging)
    throw Error(ErrorKind::kBudgetExceeded, "it does not fit the memory");
  const Shape object = clipped_grids(problem).object;
  staging->tasks = {object};
  if (covers(staging->block, object)) staging->block = object;
  return make_spec(problem, *staging, {options.max_memory, 1});
}

bool is_known(const PartialObjects& objects, const std::string& key,
              const ObjectMark& mark) {
  try {
    objects.known_state(key, mark);
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInvalidArgument) return false;
    throw;
  }
}

}  // namespace

void restore_partial_objects(const PlannedJob& job, const std::string& path) {
  if (kept_of(job, path).length == 0) return;
  const ArrayMetadata kept = kept_array(job, path);
  const auto objects = std::make_shared<PartialObjects>(job, path);
  const auto layout = std::make_shared<const ArrayLayout>(make_layout(kept));
  const auto writer = std::make_shared<const ArrayWriter>(
      objects->target(), path, layout, empty_chunks(job.options, kept));
  const StagedCopySpec spec = plan_restoring(kept, path, job.options);
  MemoryBudget budget = process_budget(job);
  Arena arena = budget.acquire(spec.stages[0].max_task_bytes);
  const auto keys = partial_keys(job, path);
  for (std::size_t at = 0; at < keys.size(); ++at) {
    const ObjectMark mark = objects->now(keys[at]);
    const ObjectMark& planned = objects->planned(keys[at]);
    if (mark == planned || !is_known(*objects, keys[at], mark)) continue;
    if (planned.bytes < 0) {
      objects->target()->erase(keys[at]);
      continue;
    }
    const ArrayCopy copy(spec, objects->reader(layout)(), writer, nullptr, {});
    copy.run(0, static_cast<std::int64_t>(at), arena);
  }
}

}  // namespace rechunk

#include "plan/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/byte_size.h"
#include "plan/geometry.h"
#include "plan/passthrough.h"
#include "plan/staging.h"
#include "plan/task_grid.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

std::string describe(const ArrayProblem& array) {
  return array.name.empty() ? "the array" : "array '" + array.name + "'";
}

void check_ranks(const ArrayProblem& array) {
  const std::size_t rank = array.shape.size();
  for (const Shape* shape :
       {&array.source.objects, &array.source.chunks, &array.source.units,
        &array.target.objects, &array.target.chunks, &array.target.units})
    if (shape->size() != rank)
      throw Error(
          ErrorKind::kInvalidArgument,
          fmt::format("planning {}: chunks {} have {} dimensions, the "
                      "array has {}",
                      describe(array), to_string(*shape), shape->size(), rank));
}

std::string intermediate_name(std::size_t stage, std::size_t stages,
                              bool source) {
  if (source)
    return stage == 0 ? "source" : fmt::format("intermediate-{}", stage);
  return stage + 1 == stages ? "target"
                             : fmt::format("intermediate-{}", stage + 1);
}

std::int64_t array_bytes(const ArrayProblem& array) {
  return checked_multiply(element_count(array.shape), array.item_bytes);
}

// Predicted reads of a stage. Each block opens what it needs for itself.
void count_reads(const ArrayProblem& array, bool from_source,
                 const Shape& previous, CopySpec& stage) {
  if (from_source) {
    stage.objects_read = exact_pairs(array.shape, stage.block,
                                     clip(array.source.objects, array.shape));
    stage.bytes_decoded = checked_multiply(
        decoded_elements(array.shape, stage.block,
                         clip(array.source.chunks, array.shape),
                         array.source.chunks),
        array.item_bytes);
  } else {
    stage.objects_read = exact_pairs(array.shape, stage.block, previous);
    stage.bytes_decoded = array_bytes(array);
  }
}

void count_writes(const ArrayProblem& array, bool to_target, CopySpec& stage) {
  if (to_target) {
    stage.objects_written =
        Grid(array.shape, array.target.objects).cell_count();
    stage.bytes_encoded = checked_multiply(
        element_count(array.shape) == 0
            ? 0
            : padded_elements(array.shape, array.target.chunks),
        array.item_bytes);
  } else {
    stage.objects_written = stage.tasks;
    stage.bytes_encoded = array_bytes(array);
  }
}

std::int64_t task_bytes(const ArrayProblem& array, std::size_t stage,
                        std::size_t stages, const Shape& previous,
                        const CopySpec& spec) {
  if (stages == 1) return direct_bytes(array, spec.block);
  if (stage == 0) return read_to_packed_bytes(array, spec.chunks);
  if (stage + 1 < stages)
    return packed_to_packed_bytes(array, previous, spec.chunks);
  return packed_to_target_bytes(array, previous, spec.block);
}

std::vector<CopySpec> make_stages(const ArrayProblem& array,
                                  const Staging& staging) {
  const std::size_t count = staging.tasks.size();
  std::vector<CopySpec> stages;
  for (std::size_t stage = 0; stage < count; ++stage) {
    CopySpec spec;
    spec.source = intermediate_name(stage, count, true);
    spec.target = intermediate_name(stage, count, false);
    spec.chunks = staging.tasks[stage];
    spec.block = stage + 1 == count ? staging.block : spec.chunks;
    spec.tasks = Grid(array.shape, spec.chunks).cell_count();
    const Shape previous = stage ? stages.back().chunks : Shape{};
    spec.max_task_bytes = task_bytes(array, stage, count, previous, spec);
    count_reads(array, stage == 0, previous, spec);
    count_writes(array, stage + 1 == count, spec);
    stages.push_back(spec);
  }
  return stages;
}

StagedCopySpec empty_spec(const ArrayProblem& array) {
  StagedCopySpec spec;
  spec.name = array.name;
  spec.shape = array.shape;
  spec.dtype = array.dtype;
  spec.item_bytes = array.item_bytes;
  spec.source_chunks = array.source.chunks;
  spec.target_chunks = array.target.chunks;
  if (array.source.objects != array.source.chunks)
    spec.source_shards = array.source.objects;
  if (array.target.objects != array.target.chunks)
    spec.target_shards = array.target.objects;
  return spec;
}

std::string explain(const Staging& staging, const ArrayProblem& array,
                    std::int64_t budget) {
  const Shape component = staging.component;
  if (staging.method == Method::kDirect)
    return fmt::format(
        "direct: blocks {} hold whole source chunks and whole target chunks, "
        "so each is read once and written once",
        to_string(staging.block));
  const bool whole_array = component == clip(array.shape, array.shape);
  return fmt::format(
      "staged: source and target chunks meet again only after {} ({}), more "
      "than the {} of one task; {} packed intermediate{} instead of reading "
      "source chunks again and again",
      to_string(component), whole_array ? "the whole array" : "one component",
      format_byte_size(budget), staging.tasks.size() - 1,
      staging.tasks.size() == 2 ? "" : "s");
}

struct Candidate {
  std::vector<StagedCopySpec> arrays;
  double nanoseconds = 0;
};

// The plan of one array with `threads` tasks at a time, and its time.
std::optional<StagedCopySpec> plan_array(const ArrayProblem& array,
                                         std::int64_t budget, int threads,
                                         double& nanoseconds) {
  const std::int64_t task_budget = budget / threads;
  if (array.other_bytes > budget) return std::nullopt;
  if (array.same_encoding) {
    if (task_budget < kPassthroughBufferBytes) return std::nullopt;
    return plan_passthrough(array, empty_spec(array));
  }
  auto direct = stage_direct(array, task_budget, threads);
  auto best = direct ? direct : stage_packed(array, task_budget);
  if (!best) return std::nullopt;
  StagedCopySpec spec = empty_spec(array);
  spec.method = best->method;
  spec.component = best->component;
  spec.stages = make_stages(array, *best);
  spec.reasons = {explain(*best, array, task_budget)};
  const double codecs =
      static_cast<double>(array_bytes(array)) *
      (0.3 + array.source.codec_ns_per_byte + array.target.codec_ns_per_byte);
  // Fewer tasks than threads leave threads idle.
  std::int64_t parallel = threads;
  for (const CopySpec& stage : spec.stages)
    parallel = std::min(parallel, std::max<std::int64_t>(1, stage.tasks));
  nanoseconds += (codecs + best->nanoseconds) / static_cast<double>(parallel);
  return spec;
}

std::optional<Candidate> plan_with_threads(
    const std::vector<ArrayProblem>& arrays, std::int64_t budget, int threads) {
  Candidate candidate;
  for (const ArrayProblem& array : arrays) {
    auto spec = plan_array(array, budget, threads, candidate.nanoseconds);
    if (!spec) return std::nullopt;
    candidate.arrays.push_back(std::move(*spec));
  }
  return candidate;
}

std::int64_t smallest_budget(const ArrayProblem& array) {
  return std::max(array.other_bytes, array.same_encoding
                                         ? kPassthroughBufferBytes
                                         : smallest_task_bytes(array));
}

[[noreturn]] void throw_budget_exceeded(const std::vector<ArrayProblem>& arrays,
                                        std::int64_t max_memory) {
  std::int64_t needed = 0;
  const ArrayProblem* largest = nullptr;
  for (const ArrayProblem& array : arrays) {
    const std::int64_t bytes = smallest_budget(array);
    if (bytes > needed) needed = bytes, largest = &array;
  }
  throw Error(
      ErrorKind::kBudgetExceeded,
      fmt::format("planning {} within {} bytes of memory: it needs at least {} "
                  "bytes ({})",
                  describe(*largest), max_memory, needed,
                  format_byte_size(needed)),
      fmt::format("--max-memory {} would do; smaller chunks need less",
                  needed));
}

std::int64_t largest_task(const std::vector<StagedCopySpec>& arrays) {
  std::int64_t bytes = 0;
  for (const StagedCopySpec& array : arrays)
    for (const CopySpec& stage : array.stages)
      bytes = std::max(bytes, stage.tasks ? stage.max_task_bytes : 0);
  return bytes;
}

// Intermediates of one component: those of two stages live at a time.
void add_temp(const StagedCopySpec& array, int threads, Plan& plan) {
  if (array.method != Method::kStaged) return;
  const TaskGrid grid(array.shape, array.component, array.stages[0].chunks);
  const std::int64_t component_bytes = checked_multiply(
      element_count(clip(array.component, array.shape)), array.item_bytes);
  std::int64_t bytes = component_bytes, objects = 0;
  for (std::size_t stage = 0; stage + 1 < array.stages.size(); ++stage)
    objects = std::max(objects, TaskGrid(array.shape, array.component,
                                         array.stages[stage].chunks)
                                    .first_task(1));
  if (array.stages.size() > 2) bytes *= 2, objects *= 2;
  const std::int64_t at_once = std::min<std::int64_t>(
      grid.component_count(), components_in_progress(array, threads));
  plan.temp_bytes = std::max(plan.temp_bytes, bytes * at_once);
  plan.temp_objects = std::max(plan.temp_objects, objects * at_once);
}

}  // namespace

int components_in_progress(const StagedCopySpec& array, int threads) {
  for (const CopySpec& stage : array.stages)
    if (TaskGrid(array.shape, array.component, stage.chunks).first_task(1) <
        16LL * threads)
      return 2;
  return 1;
}

Plan make_plan(const std::vector<ArrayProblem>& arrays,
               const PlanOptions& options) {
  for (const ArrayProblem& array : arrays) check_ranks(array);
  std::set<int> thread_counts;
  for (int threads = std::max(1, options.threads); threads >= 1; threads /= 2)
    thread_counts.insert(threads);
  for (int threads = 1; threads <= std::min(8, options.threads); ++threads)
    thread_counts.insert(threads);

  std::optional<Candidate> best;
  int best_threads = 1;
  for (auto threads = thread_counts.rbegin(); threads != thread_counts.rend();
       ++threads) {
    if (options.max_memory / *threads < 1) continue;
    auto candidate = plan_with_threads(arrays, options.max_memory, *threads);
    if (!candidate || (best && best->nanoseconds <= candidate->nanoseconds))
      continue;
    best = std::move(candidate);
    best_threads = *threads;
  }
  if (!best) throw_budget_exceeded(arrays, options.max_memory);

  Plan plan;
  plan.max_memory = options.max_memory;
  plan.threads = best_threads;
  plan.arrays = std::move(best->arrays);
  plan.peak_memory = largest_task(plan.arrays) * best_threads;
  for (const StagedCopySpec& array : plan.arrays)
    add_temp(array, best_threads, plan);
  return plan;
}

}  // namespace rechunk

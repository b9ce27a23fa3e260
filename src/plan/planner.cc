#include "plan/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/byte_size.h"
#include "plan/cost.h"
#include "plan/geometry.h"
#include "plan/make_spec.h"
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

std::string seconds_text(double seconds) {
  return seconds < 60 ? fmt::format("{:.2g} s", seconds)
                      : fmt::format("{:.0f} s", seconds);
}

std::string describe(const StagedCopySpec& spec, const ArrayProblem& array) {
  if (spec.method == Method::kStaged)
    return fmt::format("{} packed intermediate{}{}", spec.stages.size() - 1,
                       spec.stages.size() == 2 ? "" : "s",
                       spec.stages[spec.stages.size() - 2].coded
                           ? ", coded where that is quicker"
                           : "");
  const double times = static_cast<double>(spec.stages[0].bytes_decoded) /
                       std::max(1.0, bytes_in(array, array.shape));
  if (array.source.in_parts)
    return fmt::format("reading parts of source chunks in blocks {}",
                       to_string(spec.stages[0].block));
  return fmt::format("decoding the source {:.1f} times in blocks {}", times,
                     to_string(spec.stages[0].block));
}

// Why the first of several is taken, cheapest first.
std::vector<std::string> explain(const std::vector<StagedCopySpec>& plans,
                                 const ArrayProblem& array,
                                 std::int64_t budget) {
  const Grids grids = clipped_grids(array);
  const Shape component = lcm_box(grids.source, grids.object, array.shape);
  std::vector<std::string> reasons{fmt::format(
      "source and target chunks meet again only after {}: reading each once "
      "needs {}, one task has {}",
      to_string(component), format_byte_size(direct_bytes(array, component)),
      format_byte_size(budget))};
  for (const StagedCopySpec& plan : plans)
    reasons.push_back(fmt::format(
        "{} {}: {}", &plan == &plans[0] ? "chosen" : "not",
        describe(plan, array), seconds_text(plan.predicted_seconds)));
  return reasons;
}

struct Candidate {
  std::vector<StagedCopySpec> arrays;
  double seconds = 0;
  double weight = 0;  ///< What the cheapest has least of.
};

// The cheapest of the ways that fit.
std::optional<StagedCopySpec> plan_weighed(const ArrayProblem& array,
                                           std::int64_t budget, int threads) {
  const std::int64_t task_budget = budget / threads;
  const PlanOptions at_hand{budget, threads};
  std::vector<StagedCopySpec> plans;
  if (const auto direct = stage_direct(array, task_budget, threads))
    plans.push_back(make_spec(array, *direct, at_hand));
  if (const auto rereading = stage_rereading(array, task_budget, threads))
    plans.push_back(make_spec(array, *rereading, at_hand));
  for (const Staging& staging : stage_packed(array, budget, threads))
    plans.push_back(make_spec(array, staging, at_hand));
  if (plans.empty()) return std::nullopt;
  // Stable, so that the same input gives the same plan everywhere.
  std::stable_sort(plans.begin(), plans.end(),
                   [](const auto& a, const auto& b) {
                     return a.predicted_seconds < b.predicted_seconds;
                   });
  plans[0].reasons = explain(plans, array, task_budget);
  return plans[0];
}

// The plan of one array with `threads` tasks at a time, each with as many
// requests in flight as `array` says. Moves encoded objects if possible. Else
// copies directly if components fit. Else the predicted times of all other ways
// are compared. Nothing if there is no plan for so many threads.
std::optional<StagedCopySpec> plan_in_window(const ArrayProblem& array,
                                             std::int64_t budget, int threads) {
  const std::int64_t task_budget = budget / threads;
  if (array.other_bytes > budget) return std::nullopt;
  if (array.same_encoding || array.same_chunk_encoding) {
    auto spec =
        plan_passthrough(array, task_budget, threads, empty_spec(array));
    if (spec)
      spec->predicted_seconds =
          predicted_nanoseconds(array, *spec, {budget, threads}) * 1e-9;
    return spec;
  }
  // If a component fits into half of the budget, there is no intermediate.
  const std::int64_t half = budget / 2;
  if (const auto direct =
          stage_direct(array, std::min(task_budget, half), threads)) {
    StagedCopySpec spec = make_spec(array, *direct, {budget, threads});
    spec.reasons = {fmt::format(
        "direct: blocks {} hold whole source chunks and whole target chunks, "
        "so each is read once and written once",
        to_string(direct->block))};
    return spec;
  }
  // With fewer threads, no intermediate is needed. So this number of threads is
  // no candidate.
  if (stage_direct(array, half, 1)) return std::nullopt;
  return plan_weighed(array, budget, threads);
}

// The most requests that one of so many tasks may have in flight anywhere.
int largest_window(const ArrayProblem& array, int threads) {
  const int requests =
      std::max({array.source.medium.requests, array.target.medium.requests,
                array.temp.requests});
  return static_cast<int>(ceil_div(requests, threads));
}

// Buffers of requests in flight take memory from the task's elements: the
// number that is quickest. One request needs no buffers, so that no budget is
// too small for a window.
std::optional<StagedCopySpec> plan_array(const ArrayProblem& array,
                                         std::int64_t budget, int threads) {
  std::optional<StagedCopySpec> best;
  for (int window = largest_window(array, threads); window >= 1; window /= 2) {
    auto spec = plan_in_window(with_window(array, window), budget, threads);
    if (!spec || (best && best->predicted_seconds <= spec->predicted_seconds))
      continue;
    best = std::move(spec);
    best->window = window;
  }
  return best;
}

std::optional<Candidate> plan_with_threads(
    const std::vector<ArrayProblem>& arrays, std::int64_t budget, int threads) {
  Candidate candidate;
  for (const ArrayProblem& array : arrays) {
    auto spec = plan_array(array, budget, threads);
    if (!spec) return std::nullopt;
    candidate.seconds += spec->predicted_seconds;
    // An intermediate must save more than a little time to be worth its room.
    candidate.weight +=
        spec->predicted_seconds *
        (spec->method == Method::kStaged ? 1 + kWorthIntermediates : 1);
    candidate.arrays.push_back(std::move(*spec));
  }
  return candidate;
}

std::int64_t smallest_budget(const ArrayProblem& array) {
  const bool moved = array.same_encoding || array.same_chunk_encoding;
  return std::max(array.other_bytes, moved ? smallest_passthrough_bytes(array)
                                           : smallest_task_bytes(array));
}

// Chunks that are longer than their array are counted in full.
std::string overhang(const ArrayProblem& array) {
  for (std::size_t axis = 0; axis < array.shape.size(); ++axis)
    if (array.target.chunks[axis] >
        std::max<std::int64_t>(1, array.shape[axis]))
      return fmt::format(
          "; chunks of {} are counted in full: the array has {}, write `all` "
          "for chunks of that length",
          array.target.chunks[axis], array.shape[axis]);
  return "";
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
      fmt::format("{} would do; smaller chunks need less{}",
                  option("max_memory", round_up_byte_size(needed)),
                  overhang(*largest)));
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

std::int64_t largest_task_bytes(const Plan& plan) {
  std::int64_t bytes = 0;
  for (const StagedCopySpec& array : plan.arrays)
    for (const CopySpec& stage : array.stages)
      if (stage.tasks > 0) bytes = std::max(bytes, stage.max_task_bytes);
  return bytes;
}

std::int64_t peak_memory(const Plan& plan) {
  return std::min(plan.max_memory, plan.threads * largest_task_bytes(plan));
}

int components_in_progress(const StagedCopySpec& array, int threads) {
  for (const CopySpec& stage : array.stages)
    if (TaskGrid(array.shape, array.component, stage.chunks).first_task(1) <
        16LL * threads)
      return 2;
  return 1;
}

// Plans all arrays for each number of threads, and takes the best number. It is
// the same for all arrays, because they share the threads of a run.
Plan make_plan(const std::vector<ArrayProblem>& arrays,
               const PlanOptions& options) {
  for (const ArrayProblem& array : arrays) check_ranks(array);
  // Planning must stay quick. So, of many threads, only the halves are tried.
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
    // Larger numbers come first, so more threads win if plans cost the same.
    if (!candidate || (best && best->weight <= candidate->weight)) continue;
    best = std::move(candidate);
    best_threads = *threads;
  }
  if (!best) throw_budget_exceeded(arrays, options.max_memory);

  Plan plan;
  plan.max_memory = options.max_memory;
  plan.threads = best_threads;
  plan.predicted_seconds = best->seconds;
  plan.arrays = std::move(best->arrays);
  plan.peak_memory = peak_memory(plan);
  for (const StagedCopySpec& array : plan.arrays)
    add_temp(array, best_threads, plan);
  return plan;
}

}  // namespace rechunk

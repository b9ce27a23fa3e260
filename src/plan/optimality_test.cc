// How good plans are: against all plans of small problems, and against what
// rechunker would do, by the same cost model.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <random>

#include "plan/cost.h"
#include "plan/geometry.h"
#include "plan/make_spec.h"
#include "plan/planner.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

// Chunks of `cells` per axis at most, of some hundred elements each: small
// enough to try every plan, large enough that bytes matter.
ArrayProblem random_problem(Random& random, std::int64_t rank,
                            std::int64_t cells) {
  ArrayProblem problem;
  problem.item_bytes = 1LL << pick(random, 0, 3);
  const double most = std::pow(4e8, 1.0 / static_cast<double>(rank));
  Shape source, target;
  for (std::int64_t axis = 0; axis < rank; ++axis) {
    const std::int64_t length =
        pick(random, 2 * cells, 2 * cells + static_cast<std::int64_t>(most));
    problem.shape.push_back(length);
    source.push_back(ceil_div(length, pick(random, 1, cells)));
    target.push_back(ceil_div(length, pick(random, 1, cells)));
  }
  problem.source.objects = problem.source.chunks = problem.source.units =
      source;
  problem.target.objects = problem.target.chunks = problem.target.units =
      target;
  problem.source.in_parts = pick(random, 0, 2) == 0;
  problem.source.codec_ns_per_byte =
      problem.source.in_parts ? 0
                              : 0.2 * static_cast<double>(pick(random, 1, 9));
  problem.target.codec_ns_per_byte = 2;
  const auto chunk_bytes = element_count(source) * problem.item_bytes;
  problem.source.unit_scratch_bytes =
      problem.source.in_parts ? std::min<std::int64_t>(chunk_bytes, 256 << 10)
                              : 2 * chunk_bytes;
  problem.target.unit_scratch_bytes =
      element_count(target) * problem.item_bytes;
  return problem;
}

// Visits every shape whose lengths are multiples of `step`, or the whole axis.
void for_each_shape(const Shape& shape, const Shape& step,
                    const std::function<void(const Shape&)>& visit) {
  const Region counts{Shape(shape.size(), 1), [&] {
                        Shape stop;
                        for (std::size_t axis = 0; axis < shape.size(); ++axis)
                          stop.push_back(ceil_div(shape[axis], step[axis]) + 1);
                        return stop;
                      }()};
  for_each_point(counts, [&](const Shape& count) {
    Shape found = count;
    for (std::size_t axis = 0; axis < found.size(); ++axis)
      found[axis] = std::min(shape[axis], count[axis] * step[axis]);
    visit(found);
  });
}

// The best of all plans with at most one intermediate over the whole array.
double best_seconds(const ArrayProblem& array, std::int64_t budget) {
  double best = std::numeric_limits<double>::infinity();
  const auto consider = [&](const Staging& staging) {
    const StagedCopySpec spec = make_spec(array, staging, {budget, 1});
    for (const CopySpec& stage : spec.stages)
      if (stage.max_task_bytes > budget) return;
    best = std::min(best, spec.predicted_seconds);
  };
  const Grids grids = clipped_grids(array);
  const Shape all = clip(array.shape, array.shape);
  for_each_shape(array.shape, grids.object, [&](const Shape& last) {
    consider({Method::kDirect, all, {last}, last});
    if (packed_to_target_bytes(array, grids.source, last, false) > budget)
      return;
    for_each_shape(array.shape, grids.source, [&](const Shape& first) {
      if (read_to_packed_bytes(array, first, false) > budget) return;
      for (const bool coded : {false, true})
        consider({Method::kStaged, all, {first, last}, last, coded});
    });
  });
  return best;
}

std::optional<Plan> plan_of(const ArrayProblem& array, std::int64_t budget) {
  try {
    return make_plan({array}, {budget, 1});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBudgetExceeded);
    return std::nullopt;
  }
}

TEST(Optimality, PlansAreWithinFivePercentOfTheBestOfAllOfSmallProblems) {
  int planned = 0, staged = 0, reread = 0;
  double worst = 0;
  for (std::uint64_t seed = 0; planned < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const ArrayProblem array =
        random_problem(random, pick(random, 1, 3), pick(random, 2, 9));
    const double bytes = bytes_in(array, array.shape);
    const auto budget = static_cast<std::int64_t>(
        bytes / static_cast<double>(pick(random, 2, 40)));
    const auto plan = plan_of(array, budget);
    if (!plan) continue;
    ++planned;
    staged += plan->arrays[0].stages.size() == 2;
    reread += plan->arrays[0].method == Method::kDirect;
    const double best = best_seconds(array, budget);
    worst = std::max(worst, plan->predicted_seconds / best);
    EXPECT_LE(plan->predicted_seconds, 1.05 * best)
        << to_string(array.shape) << " " << to_string(array.source.chunks)
        << " -> " << to_string(array.target.chunks) << " in " << budget << ": "
        << to_json(*plan);
  }
  RecordProperty("worst_ratio", std::to_string(worst));
  EXPECT_GT(staged, 30);
  EXPECT_GT(reread, 30);
}

// rechunker's planner, after its description: it grows chunks from the last
// axis on.
Shape consolidated(const ArrayProblem& array, const Shape& chunks,
                   const Shape& limits, std::int64_t max_bytes) {
  const auto bytes = [&](const Shape& shape) {
    return element_count(shape) * array.item_bytes;
  };
  Shape grown = chunks;
  std::int64_t headroom = max_bytes / bytes(grown);
  for (std::size_t axis = grown.size(); axis-- > 0;) {
    if (limits[axis] < 0) continue;  // Not to be grown.
    const std::int64_t most = std::min(array.shape[axis], limits[axis]);
    grown[axis] = most;
    if (bytes(grown) >= max_bytes)
      grown[axis] = std::min(chunks[axis] * headroom, most);
    headroom = std::max<std::int64_t>(1, max_bytes / bytes(grown));
  }
  return grown;
}

// What its copies cost: those of the first stage read the source for every
// chunk of the intermediate, which is an object of its own.
std::optional<double> rechunker_seconds(const ArrayProblem& array,
                                        std::int64_t max_bytes) {
  const Shape source = clip(array.source.chunks, array.shape);
  const Shape target = clip(array.target.chunks, array.shape);
  if (element_count(source) * array.item_bytes > max_bytes ||
      element_count(target) * array.item_bytes > max_bytes)
    return std::nullopt;
  const Shape write = consolidated(array, target, array.shape, max_bytes);
  Shape limits = write, middle = source;
  for (std::size_t axis = 0; axis < limits.size(); ++axis)
    if (write[axis] <= source[axis]) limits[axis] = -1;
  const Shape read = consolidated(array, source, limits, max_bytes);
  for (std::size_t axis = 0; axis < middle.size(); ++axis)
    middle[axis] = std::min(read[axis], write[axis]);
  const Shape all = clip(array.shape, array.shape);
  // A task holds a region, and a chunk as it is stored.
  const auto bytes = [&](const Shape& region) {
    return element_count(region) * array.item_bytes +
           std::max(array.source.unit_scratch_bytes,
                    array.target.unit_scratch_bytes);
  };
  if (read == write || read == middle)
    return make_spec(array, {Method::kDirect, all, {write}, write},
                     {max_bytes, 1})
        .predicted_seconds;
  double nanoseconds =
      source_read_cost(array, middle) + packed_write_cost(array, middle, {}) +
      packed_read_cost(array, middle, write, {}) + target_write_cost(array) +
      copy_cost(array, source, target) +
      memory_cost(std::max(bytes(read), bytes(write)), 1);
  return nanoseconds * 1e-9;
}

TEST(Optimality, NoPlanIsPredictedToTakeLongerThanThatOfRechunker) {
  int compared = 0, quicker = 0;
  for (std::uint64_t seed = 0; compared < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const ArrayProblem array =
        random_problem(random, pick(random, 1, 5), pick(random, 2, 60));
    // What its tasks hold beside their region: a source chunk, as stored and
    // decoded, or a target chunk, as stored.
    const std::int64_t beside = std::max(array.source.unit_scratch_bytes,
                                         array.target.unit_scratch_bytes);
    const auto region =
        static_cast<std::int64_t>(bytes_in(array, array.shape) /
                                  static_cast<double>(pick(random, 2, 100)));
    const auto theirs = rechunker_seconds(array, region);
    if (!theirs) continue;
    const auto plan = plan_of(array, region + beside + 8192);
    ASSERT_TRUE(plan);
    ++compared;
    quicker += plan->predicted_seconds < 0.5 * *theirs;
    // Tasks stop growing where they would save next to nothing.
    EXPECT_LE(plan->predicted_seconds, 1.001 * *theirs)
        << to_string(array.shape) << " " << to_string(array.source.chunks)
        << " -> " << to_string(array.target.chunks) << " in " << region << " + "
        << beside << ": " << to_string(plan->arrays[0].method) << " "
        << to_string(plan->arrays[0].stages[0].block);
  }
  EXPECT_GT(quicker, 100);
}

}  // namespace
}  // namespace rechunk

#include "plan/passthrough.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "plan/task_grid.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

ArrayProblem moving(const Shape& shape, const Shape& chunks,
                    const Shape& source, const Shape& target) {
  const auto traits = [&](const Shape& objects) {
    const std::int64_t inner =
        Grid(objects, chunks).cell_count() * (objects == chunks ? 0 : 16);
    return ChunkTraits{objects, chunks, chunks, 0, inner, 0};
  };
  ArrayProblem problem;
  problem.shape = shape;
  problem.item_bytes = 4;
  problem.source = traits(source);
  problem.target = traits(target);
  problem.same_chunk_encoding = true;
  return problem;
}

/// How many source objects each task touches.
std::vector<std::int64_t> touched(const ArrayProblem& problem,
                                  const Shape& task) {
  const Grid tasks(problem.shape, task);
  const Grid sources(problem.shape, problem.source.objects);
  std::vector<std::int64_t> counts;
  for (std::int64_t index = 0; index < tasks.cell_count(); ++index)
    counts.push_back(element_count(sources.cells_touching(tasks.cell(index))));
  return counts;
}

TEST(ChunkPassthroughPlan, CountsPairsOfTasksAndObjects) {
  std::mt19937_64 random(3);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  for (int round = 0; round < 500; ++round) {
    Shape shape, chunks, source, target;
    for (std::int64_t axis = pick(0, 3); axis > 0; --axis) {
      shape.push_back(pick(1, 60));
      chunks.push_back(pick(1, 4));
      source.push_back(chunks.back() * pick(1, 6));
      target.push_back(chunks.back() * pick(1, 6));
    }
    ArrayProblem problem = moving(shape, chunks, source, target);
    problem.item_bytes = std::int64_t{1} << pick(0, 22);
    problem.source.object_scratch_bytes *= 10'000;
    const std::int64_t least = smallest_passthrough_bytes(problem);
    EXPECT_FALSE(plan_passthrough(problem, least - 1, 1, {}));
    const std::int64_t budget = pick(0, 1) ? least : least + (2 << 20);
    const Plan plan = make_plan({problem}, {budget, 1});
    validate(plan, {problem});
    const CopySpec& stage = plan.arrays[0].stages[0];
    EXPECT_EQ(plan.arrays[0].method, Method::kPassthrough);
    const auto counts = touched(problem, stage.chunks);
    EXPECT_EQ(stage.objects_read,
              std::accumulate(counts.begin(), counts.end(), 0));
    EXPECT_GE(stage.max_task_bytes,
              *std::max_element(counts.begin(), counts.end()) *
                      problem.source.object_scratch_bytes +
                  problem.target.object_scratch_bytes);
    EXPECT_EQ(stage.objects_written, Grid(shape, target).cell_count());
    EXPECT_EQ(stage.bytes_decoded + stage.bytes_encoded, 0);
    EXPECT_LE(stage.max_task_bytes, budget);
    if (HasFailure()) return;
  }
}

TEST(ChunkPassthroughPlan, OpensEachShardOnceWhereTasksCanHoldThemWhole) {
  for (const auto& [source, target] :
       {std::pair(Shape{60, 600}, Shape{90, 300}),
        {{30, 30}, {300, 30}},
        {{600, 600}, {30, 30}},
        {{30, 30}, {600, 600}}}) {
    const ArrayProblem problem = moving({1200, 1200}, {30, 30}, source, target);
    const Plan plan = make_plan({problem}, {1 << 28, 2});
    EXPECT_EQ(plan.arrays[0].stages[0].objects_read,
              Grid(problem.shape, source).cell_count());
  }
}

TEST(ChunkPassthroughPlan, TakesEvenPartsOfShardsThatAreTooLarge) {
  // A shard of 4 GiB with 2^20 chunks, into objects.
  const ArrayProblem problem =
      moving({1 << 16, 1 << 16}, {32, 32}, {1 << 15, 1 << 15}, {32, 32});
  const Plan plan = make_plan({problem}, {1 << 28, 2});
  const CopySpec& stage = plan.arrays[0].stages[0];
  EXPECT_EQ(stage.objects_read, stage.tasks);
  EXPECT_LE(element_count(stage.chunks) * 4, 16 << 20);
  EXPECT_GE(element_count(stage.chunks) * 4, 8 << 20);
}

TEST(PassthroughPlan, GivesEachThreadTasksWhereThatCostsNothing) {
  std::mt19937_64 random(5);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  int cut = 0;
  for (int round = 0; round < 1000; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Shape shape, chunks, source, target;
    const bool whole = pick(0, 1) == 1;  // Objects as they are.
    for (std::int64_t axis = pick(1, 3); axis > 0; --axis) {
      shape.push_back(pick(1, 90));
      chunks.push_back(pick(1, 4));
      source.push_back(chunks.back() * (whole ? 1 : pick(1, 6)));
      target.push_back(whole ? chunks.back() : chunks.back() * pick(1, 6));
    }
    ArrayProblem problem = moving(shape, chunks, source, target);
    problem.same_encoding = whole;
    problem.same_chunk_encoding = !whole;
    const int threads = static_cast<int>(pick(2, 8));
    const Plan plan = make_plan({problem}, {1LL << 30, threads});
    validate(plan, {problem});
    std::int64_t pieces = 1;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      pieces *= ceil_div(shape[axis], std::lcm(source[axis], target[axis]));
    const CopySpec& stage = plan.arrays[0].stages[0];
    EXPECT_GE(stage.tasks, std::min<std::int64_t>(pieces, 4LL * plan.threads));
    const CopySpec fewer =
        make_plan({problem}, {1LL << 30, 1}).arrays[0].stages[0];
    EXPECT_EQ(stage.objects_read, fewer.objects_read);
    EXPECT_EQ(stage.objects_written, fewer.objects_written);
    cut += stage.tasks > fewer.tasks;
  }
  EXPECT_GT(cut, 300);
}

TEST(PassthroughPlan, KeepsTheBuffersOfAWindowWithinTheBudget) {
  ArrayProblem problem = moving({40, 40}, {4, 5}, {4, 5}, {4, 5});
  problem.same_encoding = true;
  problem.same_chunk_encoding = false;
  problem.source.request_bytes = kPassthroughBufferBytes;
  problem.source.medium = {.latency_ns = 5e7, .requests = 64};
  const std::int64_t least = smallest_passthrough_bytes(problem);
  for (std::int64_t budget = least; budget < 40 * least; budget += least / 2) {
    const Plan plan = make_plan({problem}, {budget, 2});
    validate(plan, {problem});
    EXPECT_LE(plan.arrays[0].stages[0].max_task_bytes, budget);
  }
}

TEST(ChunkPassthroughPlan, NamesTheSmallestBudget) {
  const ArrayProblem problem = moving({100}, {1}, {10}, {20});
  try {
    make_plan({problem}, {10, 1});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBudgetExceeded);
    const std::string least =
        std::to_string(smallest_passthrough_bytes(problem));
    EXPECT_NE(std::string(error.what()).find(least), std::string::npos);
  }
}

}  // namespace
}  // namespace rechunk

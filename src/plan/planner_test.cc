#include "plan/planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>

#include "plan/geometry.h"
#include "plan/packed_layout.h"
#include "plan/staging.h"
#include "plan/task_grid.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

ChunkTraits random_traits(Random& random, const Shape& shape, bool target) {
  ChunkTraits traits;
  for (const std::int64_t length : shape)
    traits.chunks.push_back(
        pick(random, 1, std::max<std::int64_t>(2, length + 2)));
  traits.units = traits.objects = traits.chunks;
  if (pick(random, 0, 2) == 0)
    for (std::int64_t& length : traits.objects) length *= pick(random, 1, 3);
  if (target && pick(random, 0, 3) == 0) traits.units = traits.objects;
  traits.unit_scratch_bytes = pick(random, 0, 200);
  if (!target && traits.objects == traits.chunks)
    traits.spare_bytes = pick(random, 0, traits.unit_scratch_bytes);
  traits.object_scratch_bytes = pick(random, 0, 40);
  return traits;
}

ArrayProblem random_problem(Random& random) {
  ArrayProblem problem;
  const std::int64_t rank = pick(random, 0, 5);
  for (std::int64_t axis = 0; axis < rank; ++axis)
    problem.shape.push_back(
        pick(random, 0, 30) ? pick(random, 1, rank > 3 ? 7 : 19) : 0);
  problem.item_bytes = pick(random, 1, 8);
  problem.source = random_traits(random, problem.shape, false);
  problem.target = random_traits(random, problem.shape, true);
  problem.source.in_parts = pick(random, 0, 3) == 0;
  // Some sources are worth reading twice, others are not.
  problem.source.codec_ns_per_byte = pick(random, 0, 1) ? 1 : 1e6;
  problem.source.medium.run_ns = pick(random, 0, 1) ? 450 : 1e9;
  return problem;
}

// The number that the refusal of a budget of one byte names.
std::int64_t smallest_budget(const ArrayProblem& problem) {
  try {
    make_plan({problem}, {1, 1});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBudgetExceeded);
    const std::string text = error.what();
    const std::string before = "at least ";
    return std::stoll(text.substr(text.find(before) + before.size()));
  }
  return 1;
}

// Every element in one task, every target object in one task, every task in
// one component, with numbers that follow each other.
void check_stage(const StagedCopySpec& array, const CopySpec& stage,
                 const Grid* objects) {
  const TaskGrid tasks(array.shape, array.component, stage.chunks);
  ASSERT_EQ(tasks.task_count(), stage.tasks);
  const Grid components(array.shape, array.component);
  std::set<Shape> elements;
  std::map<Shape, std::int64_t> owner;
  std::int64_t component = -1;
  for (std::int64_t index = 0; index < tasks.task_count(); ++index) {
    const Region region = tasks.task(index);
    ASSERT_EQ(tasks.index(tasks.coordinates(index)), index);
    for_each_point(region, [&](const Shape& element) {
      ASSERT_TRUE(elements.insert(element).second);
    });
    const Region touched = components.cells_touching(region);
    ASSERT_EQ(element_count(touched), 1);
    const std::int64_t here = components.index(touched.start);
    ASSERT_TRUE(here == component || here == component + 1);
    ASSERT_EQ(here != component, index == tasks.first_task(here));
    component = here;
    if (objects)
      for_each_point(objects->cells_touching(region), [&](const Shape& object) {
        ASSERT_TRUE(owner.emplace(object, index).second);
      });
  }
  ASSERT_EQ(static_cast<std::int64_t>(elements.size()),
            element_count(array.shape));
}

// Pairs of a block of the stage and a cell of a grid, counted one by one.
std::int64_t count_pairs(const StagedCopySpec& array, const CopySpec& stage,
                         const Shape& cells) {
  const Grid blocks(array.shape, stage.block), grid(array.shape, cells);
  std::int64_t pairs = 0;
  for (std::int64_t block = 0; block < blocks.cell_count(); ++block)
    pairs += element_count(grid.cells_touching(blocks.cell(block)));
  return pairs;
}

std::int64_t decoded_bytes(const StagedCopySpec& array, const CopySpec& stage,
                           const ArrayProblem& problem) {
  const std::int64_t elements =
      problem.source.in_parts
          ? element_count(array.shape)
          : count_pairs(array, stage, problem.source.chunks) *
                element_count(problem.source.chunks);
  return elements * problem.item_bytes;
}

void check_plan(const Plan& plan, const ArrayProblem& problem) {
  validate(plan, {problem});
  EXPECT_LE(plan.peak_memory, plan.max_memory);
  EXPECT_GE(plan.peak_memory, largest_task_bytes(plan));
  const StagedCopySpec& array = plan.arrays[0];
  const Grid objects(array.shape, problem.target.objects);
  for (std::size_t index = 0; index < array.stages.size(); ++index) {
    const CopySpec& stage = array.stages[index];
    const bool last = index + 1 == array.stages.size();
    check_stage(array, stage, last ? &objects : nullptr);
    EXPECT_EQ(stage.objects_read,
              count_pairs(array, stage,
                          index ? array.stages[index - 1].chunks
                                : problem.source.objects));
    if (index == 0) {
      EXPECT_EQ(stage.bytes_decoded, decoded_bytes(array, stage, problem));
    }
    if (last) {
      EXPECT_EQ(stage.objects_written, objects.cell_count());
    }
  }
  const bool once =
      count_pairs(array, array.stages[0], problem.source.chunks) ==
      Grid(array.shape, problem.source.chunks).cell_count();
  EXPECT_TRUE(once || array.stages.size() == 1 || problem.source.in_parts)
      << "a staged copy decodes a source chunk twice";
  const Shape component =
      lcm_box(clip(problem.source.chunks, array.shape),
              clip(problem.target.objects, array.shape), array.shape);
  if (direct_bytes(problem, component) <= plan.max_memory / 2) {
    EXPECT_TRUE(once && array.method == Method::kDirect)
        << "a component fits half the budget";
  }
}

TEST(Planner, PlansAnyProblemWithinAnyBudgetThatItSaysWouldDo) {
  std::map<std::size_t, int> stage_counts;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const ArrayProblem problem = random_problem(random);
    const std::int64_t smallest = smallest_budget(problem);
    if (smallest > 1) {
      EXPECT_THROW(make_plan({problem}, {smallest - 1, 3}), Error);
    }
    const int threads = static_cast<int>(pick(random, 1, 8));
    for (const std::int64_t budget : {smallest, smallest + pick(random, 0, 500),
                                      4 * smallest, std::int64_t{1} << 30}) {
      const Plan plan = make_plan({problem}, {budget, threads});
      check_plan(plan, problem);
      ++stage_counts[plan.arrays[0].stages.size()];
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(stage_counts[1], 500);
  EXPECT_GT(stage_counts[2], 500);
}

ArrayProblem large_problem(Shape shape, Shape source, Shape target) {
  ArrayProblem problem;
  problem.shape = std::move(shape);
  problem.item_bytes = 4;
  problem.source = {source, source, source, 1 << 20, 0, 0.7};
  problem.target = {target, target, target, 1 << 16, 0, 2};
  return problem;
}

TEST(Planner, TakesMoreStagesOnlyFarBelowTheSquareRootRule) {
  // C = 1 TB; one intermediate has ranges of M^2 / C bytes.
  const ArrayProblem problem =
      large_problem({500000, 500000}, {1, 500000}, {500000, 1});
  EXPECT_EQ(make_plan({problem}, {4LL << 30, 1}).arrays[0].stages.size(), 2u);
  const Plan plan = make_plan({problem}, {12 << 20, 1});
  EXPECT_GT(plan.arrays[0].stages.size(), 2u);
  validate(plan, {problem});
}

TEST(Planner, KeepsComponentsApartWhereTheyFit) {
  const ArrayProblem problem =
      large_problem({1000, 1024, 512}, {1, 1024, 512}, {64, 64, 64});
  const Plan plan = make_plan({problem}, {512 << 20, 2});
  EXPECT_EQ(plan.arrays[0].method, Method::kDirect);
  EXPECT_EQ(plan.arrays[0].stages[0].objects_read, 1000);
  EXPECT_EQ(plan.temp_bytes, 0);
}

TEST(Planner, OnlyStagesOfLargeChunksHaveFewerTasksAtATime) {
  // A source chunk, with what reading it takes, fits once; parts of the target
  // fit twice.
  const ArrayProblem problem =
      large_problem({400, 2000, 1800}, {5, 2000, 1800}, {400, 50, 50});
  const std::int64_t chunk = 5 * 2000 * 1800 * 4;
  const Plan plan = make_plan({problem}, {chunk + (8 << 20), 2});
  validate(plan, {problem});
  EXPECT_EQ(plan.threads, 2);
  EXPECT_EQ(plan.peak_memory, plan.max_memory);
  const auto& stages = plan.arrays[0].stages;
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_GT(stages[0].max_task_bytes, plan.max_memory / 2);
  EXPECT_LE(stages[1].max_task_bytes, plan.max_memory / 2);
  const Plan alone = make_plan({problem}, {plan.max_memory, 1});
  EXPECT_LT(plan.predicted_seconds, 0.9 * alone.predicted_seconds);
}

// Parts of an axis between cuts that source and target have in common.
std::int64_t common_pieces(std::int64_t length, std::int64_t source,
                           std::int64_t target) {
  std::int64_t pieces = length > 0;
  for (std::int64_t at = 1; at < length; ++at)
    pieces += at % source == 0 && at % target == 0;
  return pieces;
}

TEST(Planner, GivesEachThreadTasksWhereThatCostsNothing) {
  int cut = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ArrayProblem problem = random_problem(random);
    for (std::int64_t& length : problem.shape) length *= pick(random, 1, 9);
    problem.source.objects = problem.source.chunks;
    if (pick(random, 0, 1)) {  // Chunks that meet often.
      problem.target = problem.source;
      for (std::int64_t& length : problem.target.objects)
        length *= pick(random, 1, 2);
      problem.target.units = problem.target.chunks = problem.target.objects;
    }
    const int threads = static_cast<int>(pick(random, 2, 8));
    const Plan plan = make_plan({problem}, {1LL << 40, threads});
    validate(plan, {problem});
    std::int64_t pieces = 1;
    for (std::size_t axis = 0; axis < problem.shape.size(); ++axis)
      pieces *= common_pieces(problem.shape[axis], problem.source.chunks[axis],
                              problem.target.objects[axis]);
    const CopySpec& stage = plan.arrays[0].stages[0];
    EXPECT_GE(stage.tasks, std::min<std::int64_t>(pieces, 4LL * plan.threads));
    const Plan alone = make_plan({problem}, {1LL << 40, 1});
    const CopySpec& fewer = alone.arrays[0].stages[0];
    EXPECT_EQ(stage.objects_read, fewer.objects_read);
    EXPECT_EQ(stage.bytes_decoded, fewer.bytes_decoded);
    EXPECT_EQ(stage.objects_written, fewer.objects_written);
    EXPECT_EQ(stage.bytes_encoded, fewer.bytes_encoded);
    cut += stage.tasks > fewer.tasks;
    if (HasFailure()) return;
  }
  EXPECT_GT(cut, 300);
}

TEST(Planner, IsQuickWithABillionChunks) {
  const ArrayProblem problem =
      large_problem({1000003, 30011, 1009}, {10, 300, 100}, {997, 31, 101});
  const auto begin = std::chrono::steady_clock::now();
  const Plan plan = make_plan({problem}, {2LL << 30, 8});
  const auto took = std::chrono::steady_clock::now() - begin;
  validate(plan, {problem});
  // Far above what it takes, so that a busy machine does not matter.
  EXPECT_LT(took, std::chrono::seconds(2));
}

TEST(PackedLayout, PiecesOfAnObjectFollowEachOtherWithoutGaps) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Shape shape, object_shape, units, blocks;
    for (std::int64_t axis = pick(random, 0, 4); axis > 0; --axis) {
      shape.push_back(pick(random, 1, 15));
      object_shape.push_back(pick(random, 1, 8));
      units.push_back(pick(random, 1, 5));
      blocks.push_back(units.back() * pick(random, 1, 3));
    }
    const PackedLayout layout{blocks, units};
    const Grid objects(shape, object_shape), block_grid(shape, blocks),
        unit_grid(shape, units);
    for (std::int64_t index = 0; index < objects.cell_count(); ++index) {
      const Region object = objects.cell(index);
      std::int64_t at = 0;
      for_each_point(
          block_grid.cells_touching(object), [&](const Shape& block) {
            const Region range = intersect(object, block_grid.cell(block));
            ASSERT_EQ(layout.range_offset(object, block), at);
            for_each_point(
                unit_grid.cells_touching(range), [&](const Shape& unit) {
                  ASSERT_EQ(layout.piece_offset(object, unit), at);
                  at += element_count(intersect(range, unit_grid.cell(unit)));
                });
          });
      ASSERT_EQ(at, element_count(object));
    }
  }
}

}  // namespace
}  // namespace rechunk

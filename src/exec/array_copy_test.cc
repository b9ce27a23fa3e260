// Whole copies over memory stores, read back by the Zarr specification.
#include "exec/array_copy.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "exec/copy_testing.h"
#include "plan/geometry.h"
#include "plan/planner.h"
#include "plan/staging.h"
#include "rechunk/error.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
namespace {

void check_tidy(const Outcome& outcome) {
  EXPECT_EQ(listed_bytes(*outcome.temp), 0) << "intermediates are left";
}

// What kinds of plans a test has met.
struct Kinds {
  int direct = 0, staged = 0, streamed = 0, staged_streamed = 0;

  void count(const Plan& plan) {
    const auto& stages = plan.arrays[0].stages;
    const bool streams = stages.back().block != stages.back().chunks;
    direct += stages.size() == 1 && !streams;
    streamed += stages.size() == 1 && streams;
    staged += stages.size() > 1;
    staged_streamed += stages.size() > 1 && streams;
  }
};

TEST(ArrayCopy, CopiesAnyArrayIntoAnyLayout) {
  Kinds kinds;
  for (std::uint64_t seed = 0; seed < 1200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Problem problem = random_problem(random);
    const std::int64_t smallest = smallest_budget(problem.planned);
    const int threads = static_cast<int>(pick(random, 1, 4));
    for (const std::int64_t budget :
         {smallest, threads * (smallest + pick(random, 0, 600)),
          std::int64_t{1} << 28}) {
      SCOPED_TRACE("budget " + std::to_string(budget));
      const Plan plan = make_plan({problem.planned}, {budget, threads});
      kinds.count(plan);
      const Outcome outcome =
          copy(problem, plan, false, pick(random, 0, 3) == 0);
      check(problem, outcome);
      check_tidy(outcome);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(kinds.direct, 100);
  EXPECT_GT(kinds.staged, 100);
  EXPECT_GT(kinds.streamed, 20);
  EXPECT_GT(kinds.staged_streamed, 20);
}

// The plan with one or two more stages of any shape before its last. Small
// arrays do not need them, and large ones would take long.
Plan lengthened(Random& random, const ArrayProblem& problem, Plan plan) {
  StagedCopySpec& array = plan.arrays[0];
  array.component = clip(array.shape, array.shape);
  const CopySpec last = array.stages.back();
  array.stages.pop_back();
  for (std::int64_t more = pick(random, 1, 2); more > 0; --more) {
    const Shape previous = array.stages.back().chunks;
    CopySpec stage = array.stages.back();
    for (std::size_t axis = 0; axis < previous.size(); ++axis)
      stage.chunks[axis] = pick(random, 1, array.component[axis]);
    stage.block = stage.chunks;
    stage.tasks = stage.objects_written =
        Grid(array.shape, stage.chunks).cell_count();
    stage.objects_read = exact_pairs(array.shape, stage.chunks, previous);
    stage.bytes_decoded = stage.bytes_encoded =
        element_count(array.shape) * array.item_bytes;
    stage.max_task_bytes =
        packed_to_packed_bytes(problem, previous, stage.chunks, false);
    array.stages.push_back(stage);
  }
  const Shape previous = array.stages.back().chunks;
  array.stages.push_back(last);
  array.stages.back().objects_read =
      exact_pairs(array.shape, last.block, previous);
  array.stages.back().max_task_bytes =
      packed_to_target_bytes(problem, previous, last.block, false);
  plan.temp_bytes = 2 * element_count(array.shape) * array.item_bytes;
  plan.peak_memory = plan.temp_objects = 0;
  for (const CopySpec& stage : array.stages) {
    plan.temp_objects = std::max(plan.temp_objects, 2 * stage.tasks);
    plan.peak_memory =
        std::max(plan.peak_memory, plan.threads * stage.max_task_bytes);
  }
  plan.max_memory = plan.peak_memory;
  return plan;
}

TEST(ArrayCopy, CopiesThroughAnyNumberOfIntermediates) {
  int copies = 0;
  for (std::uint64_t seed = 0; seed < 1200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Problem problem = random_problem(random);
    const std::int64_t smallest = smallest_budget(problem.planned);
    const Plan plan = make_plan({problem.planned}, {2 * smallest, 2});
    if (plan.arrays[0].method != Method::kStaged) continue;
    const Outcome outcome =
        copy(problem, lengthened(random, problem.planned, plan));
    check(problem, outcome);
    check_tidy(outcome);
    ++copies;
    if (HasFailure()) return;
  }
  EXPECT_GT(copies, 100);
}

ArrayMetadata plain_array(const Shape& shape, const Shape& chunks,
                          const char* order = "C") {
  return parse_array_v2(
      fmt::format(R"({{"zarr_format":2,"shape":{},"chunks":{},"dtype":"<i4",)"
                  R"("fill_value":9,"order":"{}","filters":null,)"
                  R"("compressor":null}})",
                  json_list(shape), json_list(chunks), order),
      std::nullopt);
}

TEST(ArrayCopy, ReadsPartsOfTheSourceAgainWhereThatIsCheaper) {
  int reread = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Problem problem = random_problem(random);
    const ArrayProblem planned = problem_of(*problem.source, *problem.target);
    const std::int64_t smallest = smallest_budget(planned);
    const Plan plan =
        make_plan({planned}, {smallest + pick(random, 0, smallest), 1});
    const auto& array = plan.arrays[0];
    reread += array.method == Method::kDirect &&
              array.stages[0].objects_read >
                  Grid(array.shape, planned.source.objects).cell_count();
    check(problem, copy(problem, plan));
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(reread, 30);
}

TEST(ArrayCopy, TakesThreeStagesWhereMemoryIsTiny) {
  Random random(1);
  const Problem problem(random, plain_array({97, 89}, {1, 89}),
                        plain_array({97, 89}, {97, 1}));
  Plan plan =
      make_plan({problem.planned}, {smallest_budget(problem.planned), 1});
  plan.threads = 3;  // With as much for each.
  plan.max_memory *= 3;
  plan.peak_memory *= 3;
  ASSERT_GE(plan.arrays[0].stages.size(), 3u);
  const Outcome outcome = copy(problem, plan);
  check(problem, outcome);
  check_tidy(outcome);
}

// Pieces of more than a page: they go from the object to their chunks, where
// they lie there in one.
TEST(ArrayCopy, ScattersLongPiecesIntoTheirChunks) {
  std::int64_t bytes = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Problem problem(
        random, plain_array({67, 517}, {16, 517}, "C"),
        plain_array({67, 517}, {67, 48}, seed % 2 ? "C" : "F"));
    const Plan plan = make_plan({problem.planned}, {75000, 1});
    ASSERT_EQ(plan.arrays[0].stages.size(), 2u);
    const Outcome outcome = copy(problem, plan);
    check(problem, outcome);
    bytes += listed_bytes(*outcome.target);
    for (int round = 0; round < 5; ++round)
      check(problem, copy(problem, lengthened(random, problem.planned, plan)));
  }
  EXPECT_GT(bytes, 5 * 67 * 517 * 4) << "hardly anything but fill";
}

// A middle task that is one unit of the next block: each range lies in it in
// one piece, and is data although no elements are put.
TEST(ArrayCopy, ScattersRangesBetweenIntermediates) {
  Random random(1);
  const Problem problem(random, plain_array({67, 517}, {16, 517}, "C"),
                        plain_array({67, 517}, {67, 48}, "C"));
  Plan plan = make_plan({problem.planned}, {75000, 1});
  ASSERT_EQ(plan.arrays[0].stages.size(), 2u);
  plan = lengthened(random, problem.planned, plan);
  auto& stages = plan.arrays[0].stages;
  stages.erase(stages.begin() + 1, stages.end() - 2);
  CopySpec& middle = stages[1];
  middle.chunks = middle.block = {67, 48};
  middle.tasks = middle.objects_written = 11;
  middle.objects_read = exact_pairs({67, 517}, {67, 48}, stages[0].chunks);
  stages[2].objects_read = exact_pairs({67, 517}, stages[2].block, {67, 48});
  plan.max_memory = plan.peak_memory = 1 << 20;
  for (CopySpec& stage : stages) stage.max_task_bytes = 1 << 20;
  plan.temp_objects = 100;
  const Outcome outcome = copy(problem, plan);
  check(problem, outcome);
  EXPECT_GT(listed_bytes(*outcome.target), 67 * 517);
}

// Chunks are stored whole: what lies beyond the array must not be what was in
// memory before.
TEST(ArrayCopy, PadsChunksWithFill) {
  for (const char* order : {"C", "F"}) {
    Random random(6);
    const Problem problem(random, plain_array({23, 17}, {5, 17}, "C"),
                          plain_array({23, 17}, {9, 4}, order));
    const std::int64_t smallest = smallest_budget(problem.planned);
    for (const std::int64_t budget : {smallest, std::int64_t{1} << 20}) {
      const Outcome outcome =
          copy(problem, make_plan({problem.planned}, {budget, 1}));
      const ArrayLayout& layout = *problem.target;
      const Grid chunks(layout.shape, layout.chunk_shape);
      int compared = 0;
      for_each_point(whole(chunks.counts()), [&](const Shape& chunk) {
        const Bytes bytes = read_object(
            *outcome.target, "out/" + chunk_key(layout.key_encoding, chunk));
        if (bytes.empty()) return;
        ++compared;
        EXPECT_EQ(bytes,
                  chunk_of(problem.wanted(), layout, chunks.cell(chunk).start));
      });
      EXPECT_GT(compared, 5);
    }
  }
}

TEST(ArrayCopy, KeepsIntermediatesWhereAskedTo) {
  Random random(3);
  const Problem problem(random, plain_array({97, 89}, {1, 89}),
                        plain_array({97, 89}, {97, 1}));
  const Plan plan =
      make_plan({problem.planned}, {smallest_budget(problem.planned) + 500, 1});
  ASSERT_EQ(plan.arrays[0].method, Method::kStaged);
  const Outcome outcome = copy(problem, plan, true);
  EXPECT_EQ(stored_elements(*outcome.target, "out", *problem.target),
            problem.wanted());
  EXPECT_GT(listed_bytes(*outcome.temp), 0);
}

// A run may be stopped and begun again: tasks do not mind what is there.
TEST(ArrayCopy, TasksMayRunTwice) {
  Random random(4);
  const Problem problem(random, plain_array({30, 31}, {7, 31}),
                        plain_array({30, 31}, {30, 4}));
  const Plan plan =
      make_plan({problem.planned}, {smallest_budget(problem.planned), 1});
  const auto source = make_memory_store(), target = make_memory_store(),
             temp = make_memory_store();
  store_elements(source, "in", problem.source, problem.elements);
  const ArrayCopy array_copy = make_copy(problem, plan, {source, target, temp});
  MemoryBudget budget(plan.max_memory);
  Arena arena = budget.acquire(plan.max_memory);
  for (int stage = 0; stage < static_cast<int>(plan.arrays[0].stages.size());
       ++stage)
    for (int round = 0; round < 2; ++round)
      for (std::int64_t task = 0; task < plan.arrays[0].stages[stage].tasks;
           ++task)
        array_copy.run(stage, task, arena);
  EXPECT_EQ(arena.used(), 0);
  EXPECT_EQ(stored_elements(*target, "out", *problem.target), problem.wanted());
}

// What goes wrong in the last task of the second stage when `damage` has been
// done to the intermediate.
std::optional<Error> error_after(
    const std::function<void(Store& temp, const std::string& key)>& damage) {
  Random random(5);
  const Problem problem(random, plain_array({30, 31}, {7, 31}),
                        plain_array({30, 31}, {30, 4}));
  // The smallest budget of all would do without an intermediate.
  std::int64_t budget_bytes = smallest_budget(problem.planned);
  Plan plan;
  do {
    plan = make_plan({problem.planned}, {budget_bytes += 16, 1});
  } while (plan.arrays[0].stages.size() == 1);
  const auto source = make_memory_store(), temp = make_memory_store();
  store_elements(source, "in", problem.source, problem.elements);
  const ArrayCopy array_copy =
      make_copy(problem, plan, {source, make_memory_store(), temp});
  MemoryBudget budget(plan.max_memory);
  Arena arena = budget.acquire(plan.max_memory);
  for (std::int64_t task = 0; task < plan.arrays[0].stages[0].tasks; ++task)
    array_copy.run(0, task, arena);
  damage(*temp, "pre/1/0/0");  // DESIGN.md has the names.
  try {
    array_copy.run(1, plan.arrays[0].stages.at(1).tasks - 1, arena);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

TEST(ArrayCopy, NamesTheIntermediateThatIsDamagedOrGone) {
  EXPECT_FALSE(error_after([](Store&, const std::string&) {}));
  const auto cut = error_after([](Store& temp, const std::string& key) {
    const Bytes bytes = read_object(temp, key);
    ASSERT_FALSE(bytes.empty());
    write_object(temp, key, std::span(bytes).first(bytes.size() - 1));
  });
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->kind(), ErrorKind::kCorrupt);
  EXPECT_NE(std::string(cut->what()).find("pre/1/0/0"), std::string::npos);
  const auto gone =
      error_after([](Store& temp, const std::string& key) { temp.erase(key); });
  ASSERT_TRUE(gone) << "elements that were lost became fill";
  EXPECT_EQ(gone->kind(), ErrorKind::kIo);
  EXPECT_NE(std::string(gone->what()).find("pre/1/0/0"), std::string::npos);
}

}  // namespace
}  // namespace rechunk

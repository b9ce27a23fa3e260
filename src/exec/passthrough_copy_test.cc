#include "exec/passthrough_copy.h"

#include <gtest/gtest.h>

#include <map>

#include "exec/testing.h"
#include "plan/planner.h"
#include "store/late_store.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
namespace {

constexpr ChunkKeyEncoding kV2{true, '.'}, kV3{false, '/'};

/// `requests`: in flight at a time, of places that answer in any order.
Plan plan_moves(const Shape& shape, const Shape& objects,
                std::int64_t item_bytes = 1, int requests = 1) {
  ArrayProblem problem;
  problem.shape = shape;
  problem.item_bytes = item_bytes;
  problem.source = problem.target = {objects, objects, objects, 0, 0, 0};
  problem.same_encoding = true;
  problem.source.request_bytes = kPassthroughBufferBytes;
  problem.target.request_bytes = 1;
  for (ChunkTraits* side : {&problem.source, &problem.target}) {
    side->medium.requests = requests;
    side->medium.latency_ns = requests > 1 ? 1e7 : 0;
  }
  return make_plan({problem}, {8 << 20, 1});
}

std::shared_ptr<Store> place(int requests, std::uint64_t seed = 0) {
  auto memory = make_memory_store();
  if (requests == 1) return memory;
  return std::make_shared<LateStore>(std::move(memory), requests, seed);
}

// Runs all tasks with the memory that the plan gives them.
StageReport move_all(const Plan& plan, const Shape& objects,
                     const PassthroughCopy::Side& source,
                     const PassthroughCopy::Side& target) {
  const StagedCopySpec& spec = plan.arrays[0];
  EXPECT_EQ(spec.method, Method::kPassthrough);
  const PassthroughCopy copy(spec, objects, source, target);
  MemoryBudget budget(spec.stages[0].max_task_bytes);
  Arena arena = budget.acquire(budget.limit());
  StageReport report;
  for (std::int64_t task = 0; task < spec.stages[0].tasks; ++task) {
    report += copy.run(0, task, arena).report;
    EXPECT_EQ(arena.used(), 0);
  }
  return report;
}

TEST(PassthroughCopy, MovesObjectsAsTheyAreUnderTheirNewNames) {
  int windows = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Shape shape = random_shape(random);
    Shape objects;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      objects.push_back(pick(random, 1, 5));
    const int requests = static_cast<int>(seed % 3 == 0 ? 1 : 2 + seed % 5);
    const Plan plan =
        plan_moves(shape, objects, pick(random, 1, 1 << 20), requests);
    EXPECT_LE(plan.arrays[0].window, requests);
    windows += plan.arrays[0].window > 1;
    const PassthroughCopy::Side source{place(requests, seed), "in", kV2};
    const PassthroughCopy::Side target{place(requests, seed), "new/out", kV3};
    std::map<std::string, Bytes> expected;
    std::int64_t bytes = 0;
    const Grid grid(shape, objects);
    for (std::int64_t index = 0; index < grid.cell_count(); ++index) {
      if (pick(random, 0, 3) == 0) continue;  // Missing.
      const Shape object = grid.coordinates(index);
      const Bytes data = random_bytes(random, pick(random, 1, 300));
      bytes += static_cast<std::int64_t>(data.size());
      write_object(*source.store, "in/" + chunk_key(kV2, object), data);
      expected["new/out/" + chunk_key(kV3, object)] = data;
    }
    const StageReport report = move_all(plan, objects, source, target);
    std::map<std::string, Bytes> found;
    target.store->list("", [&](std::string_view key, std::int64_t) {
      found[std::string(key)] = read_object(*target.store, std::string(key));
    });
    ASSERT_EQ(found, expected);
    expect_as_planned(report, plan.arrays[0].stages[0]);
    EXPECT_EQ(report.counted.objects_read,
              static_cast<std::int64_t>(expected.size()));
    EXPECT_EQ(report.counted.stored_bytes_read, bytes);
    EXPECT_EQ(report.counted.stored_bytes_written, bytes);
    if (HasFailure()) return;
  }
  EXPECT_GT(windows, 100);
}

TEST(PassthroughCopy, MovesObjectsLargerThanItsBuffer) {
  Random random(1);
  for (const std::int64_t size :
       {kPassthroughBufferBytes - 1, kPassthroughBufferBytes,
        kPassthroughBufferBytes + 1, 3 * kPassthroughBufferBytes + 5})
    for (const int requests : {1, 3}) {
      const PassthroughCopy::Side source{place(requests), "", kV3};
      const PassthroughCopy::Side target{place(requests), "", kV3};
      const Bytes data = random_bytes(random, size);
      write_object(*source.store, "c/0", data);
      write_object(*source.store, "c/1", random_bytes(random, 10));
      move_all(plan_moves({20}, {10}, 1, requests), {10}, source, target);
      EXPECT_TRUE(read_object(*target.store, "c/0") == data) << size;
    }
}

// From a disk into a bucket, and back.
TEST(PassthroughCopy, HasBuffersIfOneSideHasSeveralInFlight) {
  for (const bool is_source : {true, false}) {
    ArrayProblem problem;
    problem.shape = {640};  // Enough for tasks of several objects.
    problem.source = problem.target = {{10}, {10}, {10}, 0, 0, 0};
    problem.same_encoding = true;
    problem.source.request_bytes = kPassthroughBufferBytes;
    problem.target.request_bytes = 1;
    MediumTraits& late = (is_source ? problem.source : problem.target).medium;
    late.requests = 4;
    late.latency_ns = 1e9;
    const Plan plan = make_plan({problem}, {8 << 20, 1});
    EXPECT_EQ(plan.arrays[0].window, 4);
    const PassthroughCopy::Side source{place(is_source ? 4 : 1), "", kV3};
    const PassthroughCopy::Side target{place(is_source ? 1 : 4), "", kV3};
    for (int object = 0; object < 64; ++object)
      write_text(*source.store, "c/" + std::to_string(object),
                 std::to_string(object));
    move_all(plan, {10}, source, target);
    for (int object = 0; object < 64; ++object)
      EXPECT_EQ(read_text(*target.store, "c/" + std::to_string(object)),
                std::to_string(object));
  }
}

TEST(PassthroughCopy, MovesEmptyObjects) {
  const PassthroughCopy::Side source{make_memory_store(), "", kV3};
  const PassthroughCopy::Side target{make_memory_store(), "", kV3};
  write_object(*source.store, "c/0", {});
  const StageReport report =
      move_all(plan_moves({10}, {10}), {10}, source, target);
  EXPECT_EQ(read_text(*target.store, "c/0"), "");
  EXPECT_EQ(report.counted.objects_written, 1);
}

}  // namespace
}  // namespace rechunk

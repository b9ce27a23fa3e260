// Plans of jobs that the page cache cannot hold.
#include <gtest/gtest.h>

#include <limits>

#include "plan/planner.h"

namespace rechunk {
namespace {

constexpr std::int64_t kMemory = 256 << 20;
constexpr int kThreads = 2;

// Maps to series: 6.2 GB, stored as 3.1 GB on both sides.
ArrayProblem maps_to_series(double disk_ns_per_byte) {
  ArrayProblem problem;
  problem.shape = {1500, 721, 1440};
  problem.item_bytes = 4;
  const Shape source{20, 180, 360}, target{1500, 24, 48};
  problem.source = {source, source, source, 1 << 20, 0, 0.7, 0.5};
  problem.target = {target, target, target, 1 << 20, 0, 1, 0.5};
  for (MediumTraits* medium :
       {&problem.source.medium, &problem.target.medium, &problem.temp})
    medium->disk_read_ns_per_byte = medium->disk_write_ns_per_byte =
        disk_ns_per_byte;
  problem.light_stored_ratio = 0.5;
  problem.disk_bytes = 6.2e9;
  problem.cache_bytes = 1 << 30;
  return problem;
}

Plan plan_of(const ArrayProblem& problem) {
  Plan plan = make_plan({problem}, {kMemory, kThreads});
  validate(plan, {problem});
  return plan;
}

TEST(Disk, CountsOnlyIfTheCacheCannotHoldTheJob) {
  ArrayProblem problem = maps_to_series(100);
  problem.cache_bytes = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(to_json(plan_of(problem)), to_json(plan_of(maps_to_series(0))));
}

TEST(Disk, TakesAsLongAsItsBytesIfItIsSlow) {
  const double ns = 5;
  const Plan plan = plan_of(maps_to_series(ns));
  ASSERT_EQ(plan.arrays[0].stages.size(), 2u);
  EXPECT_TRUE(plan.arrays[0].stages[0].coded);
  EXPECT_EQ(plan.arrays[0].costs.temp_disk_ns_per_byte, ns);
  // Source and coded intermediates are read while as much is written.
  const double bytes = 1500.0 * 721 * 1440 * 4 * 0.5;
  EXPECT_NEAR(plan.predicted_seconds, 2 * bytes * ns * 1e-9, 1.5);
}

TEST(Disk, IsHiddenBehindThreadsIfItIsQuick) {
  const Plan quick = plan_of(maps_to_series(0.1));
  EXPECT_NEAR(quick.predicted_seconds,
              plan_of(maps_to_series(0)).predicted_seconds,
              0.02 * quick.predicted_seconds);
}

TEST(Disk, HoldsCodedIntermediatesOnlyIfThatSavesTime) {
  ArrayProblem noise = maps_to_series(5);
  noise.light_stored_ratio = 1;
  const double coded = plan_of(maps_to_series(5)).predicted_seconds;
  EXPECT_LT(1.2 * coded, plan_of(noise).predicted_seconds);
}

TEST(Disk, IsNotReachedByIntermediatesThatAreSoonErased) {
  ArrayProblem problem = maps_to_series(5);
  // The source's chunks are cut where the target's are, after 60 rows.
  problem.shape = {1500, 3600, 1440};
  problem.source.chunks = {20, 60, 1440};
  problem.target.chunks = {1500, 4, 48};
  for (ChunkTraits* side : {&problem.source, &problem.target})
    side->objects = side->units = side->chunks;
  problem.cache_bytes = 5'000'000'000;
  problem.disk_bytes = 31e9;
  const Plan plan = plan_of(problem);
  ASSERT_EQ(plan.arrays[0].method, Method::kStaged);
  ASSERT_LT(plan.temp_bytes, problem.cache_bytes / 4);
  EXPECT_EQ(plan.arrays[0].costs.temp_disk_ns_per_byte, 0);
}

}  // namespace
}  // namespace rechunk

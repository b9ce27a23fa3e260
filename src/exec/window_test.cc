// Copies with many requests in flight, from, over and to stores that answer in
// any order.
#include <gtest/gtest.h>

#include <algorithm>

#include "exec/copy_testing.h"
#include "store/late_store.h"

namespace rechunk {
namespace {

constexpr double kLatency = 5e7;  // Nanoseconds.

// The problem at places that serve so many requests; 1: memory.
struct Served {
  int source, target, temp;
};

ArrayProblem served(const Problem& problem, const Served& requests) {
  ArrayProblem planned = problem.planned;
  planned.source.request_bytes = ArrayReader::request_bytes(*problem.source);
  planned.target.request_bytes = ArrayWriter::request_bytes(*problem.target);
  const auto set = [](MediumTraits& medium, int served) {
    medium.requests = served;
    medium.latency_ns = served > 1 ? kLatency : 0;
  };
  set(planned.source.medium, requests.source);
  set(planned.target.medium, requests.target);
  set(planned.temp, requests.temp);
  return planned;
}

struct Seen {
  std::size_t read = 0, written = 0, ranges = 0;
};

void copy_and_check(const Problem& problem, const Plan& plan,
                    const Served& requests, std::uint64_t seed, Seen& seen) {
  const auto late = [&](std::shared_ptr<Store> store, int served) {
    return std::make_shared<LateStore>(std::move(store), served, seed);
  };
  Outcome outcome{.plan = plan};
  const auto memory = make_memory_store();
  store_elements(memory, "in", problem.source, problem.elements);
  const auto source = late(memory, requests.source);
  const auto target = late(outcome.target, requests.target);
  const auto temp = late(outcome.temp, requests.temp);
  IdleThreads idle;
  CopyRunner runner(
      make_copy(problem, plan,
                {source, target,
                 plan.arrays[0].stages.size() > 1 ? temp : nullptr, &idle}));
  MemoryBudget budget(plan.max_memory);
  auto results = run_plan(plan, runner, budget, {.idle = &idle});
  outcome.reports = results.at(0).stages;
  outcome.digest = results.at(0).digest;
  outcome.peak_memory = budget.peak();
  check(problem, outcome);
  seen.read = std::max(seen.read, source->most());
  seen.written = std::max(seen.written, target->most());
  seen.ranges = std::max(seen.ranges, temp->most());
}

TEST(Window, CopiesAnyArrayWithinThePlannedMemory) {
  Seen seen;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Problem problem = random_problem(random);
    const auto some = [&] {
      return pick(random, 0, 2) == 0 ? 1 : static_cast<int>(pick(random, 2, 9));
    };
    const Served requests{some(), some(), some()};
    const ArrayProblem planned = served(problem, requests);
    const std::int64_t smallest = smallest_budget(planned);
    // No window makes the smallest budget grow.
    ArrayProblem one_at_a_time = problem.planned;
    EXPECT_EQ(smallest, smallest_budget(one_at_a_time));
    const int threads = static_cast<int>(pick(random, 1, 3));
    for (const std::int64_t budget :
         {smallest, threads * (2 * smallest + pick(random, 0, 6000)),
          std::int64_t{1} << 28}) {
      SCOPED_TRACE("budget " + std::to_string(budget));
      const Plan plan = make_plan({planned}, {budget, threads});
      validate(plan, {planned});
      copy_and_check(problem, plan, requests, seed, seen);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(seen.read, 6);
  EXPECT_GT(seen.written, 6);
  EXPECT_GT(seen.ranges, 4);
}

TEST(Window, HasNoMoreBuffersThanATaskHasChunks) {
  ArrayProblem problem;
  problem.shape = {64, 1000, 1000};
  problem.item_bytes = 4;
  const auto side = [](Shape chunks) {
    ChunkTraits traits;
    traits.objects = traits.chunks = traits.units = std::move(chunks);
    traits.request_bytes = traits.unit_scratch_bytes = 4 << 20;
    traits.medium.requests = 32;
    traits.medium.latency_ns = kLatency;
    return traits;
  };
  problem.source = side({1, 1000, 1000});
  problem.target = side({64, 125, 125});
  for (const std::int64_t megabytes : {1024, 64, 32, 16}) {
    const Plan plan = make_plan({problem}, {megabytes << 20, 1});
    const StagedCopySpec& array = plan.arrays[0];
    EXPECT_EQ(array.window, 32);
    if (array.method != Method::kStaged) continue;
    // The task's elements, a buffer for each of its chunks, one chunk decoded.
    const std::int64_t chunks = array.stages[0].chunks[0];
    EXPECT_LE(array.stages[0].max_task_bytes,
              (2 * chunks + 1) * (std::int64_t{4} << 20) + 4096);
  }
}

}  // namespace
}  // namespace rechunk

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "plan/task_grid.h"
#include "rechunk/executor.h"

namespace rechunk {
namespace {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

std::int64_t divisor_of(Random& random, std::int64_t number) {
  std::int64_t divisor = pick(random, 1, number);
  while (number % divisor != 0) --divisor;
  return divisor;
}

StagedCopySpec random_array(Random& random) {
  StagedCopySpec array;
  array.stages.resize(static_cast<std::size_t>(pick(random, 1, 4)));
  array.method = array.stages.size() > 1 ? Method::kStaged : Method::kDirect;
  for (std::int64_t axis = pick(random, 0, 3); axis > 0; --axis) {
    array.shape.push_back(pick(random, 0, 20) ? pick(random, 1, 15) : 0);
    array.component.push_back(pick(random, 1, 6));
    for (CopySpec& stage : array.stages)
      stage.chunks.push_back(divisor_of(random, array.component.back()));
  }
  for (CopySpec& stage : array.stages)
    stage.tasks = Grid(array.shape, stage.chunks).cell_count();
  return array;
}

Plan random_plan(Random& random) {
  Plan plan;
  for (std::int64_t count = pick(random, 0, 4); count > 0; --count)
    plan.arrays.push_back(random_array(random));
  return plan;
}

// All steps that a step waits for, directly or not.
std::set<int> waits_for(const std::vector<Step>& steps, int index) {
  std::set<int> found;
  std::vector<int> open = steps[static_cast<std::size_t>(index)].after;
  while (!open.empty()) {
    const int step = open.back();
    open.pop_back();
    if (!found.insert(step).second) continue;
    const auto& more = steps[static_cast<std::size_t>(step)].after;
    open.insert(open.end(), more.begin(), more.end());
  }
  return found;
}

// By array and component: the steps that have tasks of it, by stage and kind.
using Key = std::tuple<int, std::int64_t, int, Step::Kind>;

std::map<Key, std::set<int>> steps_by_component(
    const Plan& plan, const std::vector<Step>& steps) {
  std::map<Key, std::set<int>> found;
  for (std::size_t index = 1; index + 1 < steps.size(); ++index) {
    const Step& step = steps[index];
    const StagedCopySpec& array = plan.arrays[step.tasks.array];
    const TaskGrid tasks(array.shape, array.component,
                         array.stages[step.tasks.stage].chunks);
    const Grid components(array.shape, array.component);
    for (std::int64_t task = step.tasks.first; task < step.tasks.stop; ++task)
      found[{step.tasks.array,
             components.index(
                 components.cells_touching(tasks.task(task)).start),
             step.tasks.stage, step.kind}]
          .insert(static_cast<int>(index));
  }
  return found;
}

// Tasks of a kind and stage that the steps have, each counted.
void check_tasks(const Plan& plan, const std::vector<Step>& steps) {
  std::map<std::tuple<int, int, Step::Kind, std::int64_t>, int> times;
  for (std::size_t index = 1; index + 1 < steps.size(); ++index) {
    const Step& step = steps[index];
    for (std::int64_t task = step.tasks.first; task < step.tasks.stop; ++task)
      ++times[{step.tasks.array, step.tasks.stage, step.kind, task}];
  }
  std::size_t expected = 0;
  for (std::size_t array = 0; array < plan.arrays.size(); ++array) {
    const auto& stages = plan.arrays[array].stages;
    for (std::size_t stage = 0; stage < stages.size(); ++stage)
      expected += static_cast<std::size_t>(stages[stage].tasks) *
                  (stage + 1 < stages.size() ? 2 : 1);
  }
  EXPECT_EQ(times.size(), expected);
  for (const auto& [task, count] : times) EXPECT_EQ(count, 1);
}

// A stage waits for the one before it, a release for the stage that reads.
void check_order(const Plan& plan, const std::vector<Step>& steps) {
  const auto by_component = steps_by_component(plan, steps);
  for (const auto& [key, indices] : by_component) {
    auto [array, component, stage, kind] = key;
    const bool release = kind == Step::Kind::kRelease;
    const auto before = by_component.find(
        {array, component, release ? stage + 1 : stage - 1, Step::Kind::kCopy});
    if (!release && stage == 0) continue;
    ASSERT_NE(before, by_component.end());
    for (const int index : indices) {
      const std::set<int> waits = waits_for(steps, index);
      EXPECT_TRUE(std::includes(waits.begin(), waits.end(),
                                before->second.begin(), before->second.end()));
    }
  }
}

TEST(Steps, HaveEveryTaskOnceInAnOrderThatHolds) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Plan plan = random_plan(random);
    const int max_chains = static_cast<int>(pick(random, 1, 5));
    const std::vector<Step> steps = steps_of(plan, max_chains);
    ASSERT_GE(steps.size(), 2u);
    EXPECT_EQ(steps.front().kind, Step::Kind::kPrepare);
    EXPECT_EQ(steps.back().kind, Step::Kind::kCommit);
    EXPECT_TRUE(steps.front().after.empty());
    const int last = static_cast<int>(steps.size()) - 1;
    EXPECT_EQ(waits_for(steps, last).size(), steps.size() - 1)
        << "something may run after the commit";
    std::map<int, int> chains;
    for (int index = 1; index < last; ++index) {
      const Step& step = steps[static_cast<std::size_t>(index)];
      EXPECT_TRUE(step.kind == Step::Kind::kCopy ||
                  step.kind == Step::Kind::kRelease);
      EXPECT_TRUE(waits_for(steps, index).contains(0));
      for (const int other : step.after) EXPECT_LT(other, index);
      if (step.kind == Step::Kind::kCopy && step.tasks.stage == 0)
        ++chains[step.tasks.array];
    }
    for (const auto& [array, count] : chains) EXPECT_LE(count, max_chains);
    check_tasks(plan, steps);
    check_order(plan, steps);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace rechunk

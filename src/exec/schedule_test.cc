#include "exec/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <thread>
#include <tuple>

#include "plan/planner.h"

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

StagedCopySpec make_array(Shape shape, Shape component,
                          const std::vector<Shape>& tasks) {
  StagedCopySpec array;
  array.shape = std::move(shape);
  array.component = std::move(component);
  array.method = tasks.size() > 1 ? Method::kStaged : Method::kDirect;
  for (const Shape& chunks : tasks) {
    CopySpec stage;
    stage.chunks = stage.block = chunks;
    stage.tasks = Grid(array.shape, chunks).cell_count();
    array.stages.push_back(stage);
  }
  return array;
}

// Components are whole axes, or multiples of the tasks of every stage.
StagedCopySpec random_array(Random& random) {
  const std::int64_t rank = pick(random, 0, 3);
  Shape shape, component;
  std::vector<Shape> tasks(static_cast<std::size_t>(pick(random, 1, 4)));
  for (std::int64_t axis = 0; axis < rank; ++axis) {
    const std::int64_t length = pick(random, 0, 20) ? pick(random, 1, 11) : 0;
    const bool whole_axis = pick(random, 0, 2) == 0;
    shape.push_back(length);
    component.push_back(whole_axis ? std::max<std::int64_t>(1, length)
                                   : pick(random, 1, 12));
    for (Shape& task : tasks)
      task.push_back(whole_axis ? pick(random, 1, component.back())
                                : divisor_of(random, component.back()));
  }
  return make_array(std::move(shape), std::move(component), tasks);
}

Plan random_plan(Random& random, int threads) {
  Plan plan;
  plan.threads = threads;
  for (std::int64_t count = pick(random, 0, 4); count > 0; --count)
    plan.arrays.push_back(random_array(random));
  return plan;
}

// Checks the order of work while it is given out, and in the end that all of
// it was. May be used by many threads.
class Ledger {
 public:
  Ledger(const Plan& plan, bool keep_temp) : plan_(plan), keep_(keep_temp) {
    for (int array = 0; array < static_cast<int>(plan.arrays.size()); ++array)
      expect_array(array);
  }

  void begin(const Work& work) {
    const std::lock_guard lock(mutex_);
    const Place place = place_of(work);
    for (std::int64_t task = work.tasks.first; task < work.tasks.stop; ++task) {
      EXPECT_TRUE(
          seen_.emplace(work.tasks.array, work.tasks.stage, work.release, task)
              .second);
      Work one = work;
      one.tasks.first = task;
      EXPECT_EQ(place_of(one), place) << "work of two components";
    }
    Phases& phases = components_.at(place);
    for (const auto& [number, phase] : phases) {
      if (number < number_of(work)) {
        EXPECT_EQ(phase.ended, phase.expected)
            << "phase " << number_of(work) << " began before " << number
            << " was finished";
      }
    }
    ASSERT_TRUE(phases.contains(number_of(work))) << "a phase too many";
    open_.insert(place);
    check_open(work.tasks.array);
    order_.push_back(place);
  }

  void end(const Work& work) {
    const std::lock_guard lock(mutex_);
    const Place place = place_of(work);
    Phases& phases = components_.at(place);
    phases.at(number_of(work)).ended += work.tasks.count();
    if (std::all_of(phases.begin(), phases.end(), [](const auto& phase) {
          return phase.second.ended == phase.second.expected;
        }))
      open_.erase(place);
  }

  void expect_all_done() const {
    for (const auto& [place, phases] : components_)
      for (const auto& [number, phase] : phases)
        EXPECT_EQ(phase.ended, phase.expected);
  }
  void expect_components_in_order() const {
    EXPECT_TRUE(std::is_sorted(order_.begin(), order_.end()));
  }

 private:
  using Place = std::pair<int, std::int64_t>;  // Array and component.
  struct Phase {
    std::int64_t expected = 0, ended = 0;
  };
  using Phases = std::map<int, Phase>;

  // Copy 1, copy 2, release 1, copy 3, release 2, ...
  static int number_of(const Work& work) {
    return work.release ? 2 * work.tasks.stage + 2
                        : std::max(0, 2 * work.tasks.stage - 1);
  }

  Place place_of(const Work& work) const {
    const StagedCopySpec& array = plan_.arrays[work.tasks.array];
    const TaskGrid tasks(array.shape, array.component,
                         array.stages[work.tasks.stage].chunks);
    const Grid components(array.shape, array.component);
    const Region touched =
        components.cells_touching(tasks.task(work.tasks.first));
    return {work.tasks.array, components.index(touched.start)};
  }

  void expect_array(int index) {
    const StagedCopySpec& array = plan_.arrays[index];
    const Grid components(array.shape, array.component);
    for (std::int64_t at = 0; at < components.cell_count(); ++at)
      for (int stage = 0; stage < static_cast<int>(array.stages.size());
           ++stage) {
        const Grid tasks(array.shape, array.stages[stage].chunks);
        const std::int64_t count =
            element_count(tasks.cells_touching(components.cell(at)));
        Work work{.tasks = {index, stage}};
        components_[{index, at}][number_of(work)].expected = count;
        work.release = true;
        if (!keep_ && stage + 1 < static_cast<int>(array.stages.size()))
          components_[{index, at}][number_of(work)].expected = count;
      }
  }

  // Intermediates in the store are those of so many components.
  void check_open(int array) const {
    if (plan_.arrays[array].method != Method::kStaged) return;
    const auto staged =
        std::count_if(open_.begin(), open_.end(), [&](const Place& place) {
          return plan_.arrays[place.first].method == Method::kStaged;
        });
    EXPECT_LE(staged, 2);
    const auto own =
        std::count_if(open_.begin(), open_.end(),
                      [&](const Place& place) { return place.first == array; });
    EXPECT_LE(own, components_in_progress(plan_.arrays[array], plan_.threads));
  }

  const Plan& plan_;
  const bool keep_;
  std::mutex mutex_;
  std::map<Place, Phases> components_;
  std::set<std::tuple<int, int, bool, std::int64_t>> seen_;
  std::set<Place> open_;
  std::vector<Place> order_;
};

TEST(Schedule, GivesOneThreadEverythingInOrder) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Plan plan = random_plan(random, 1);
    const bool keep_temp = pick(random, 0, 2) == 0;
    Ledger ledger(plan, keep_temp);
    Schedule schedule(plan, keep_temp);
    for (Pack pack; !(pack = schedule.next()).empty();) {
      for (const Work& work : pack) {
        ledger.begin(work);
        ledger.end(work);
      }
      schedule.finished(pack);
    }
    ledger.expect_all_done();
    ledger.expect_components_in_order();
    if (HasFailure()) return;
  }
}

TEST(Schedule, GivesFourThreadsEveryTaskOnce) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Plan plan = random_plan(random, 4);
    const bool keep_temp = pick(random, 0, 2) == 0;
    Ledger ledger(plan, keep_temp);
    Schedule schedule(plan, keep_temp);
    {
      std::vector<std::jthread> threads;
      for (std::uint64_t thread = 0; thread < 4; ++thread)
        threads.emplace_back([&, thread] {
          Random own(1000 * seed + thread);
          for (Pack pack; !(pack = schedule.next()).empty();) {
            for (const Work& work : pack) {
              ledger.begin(work);
              for (std::int64_t turn = pick(own, 0, 3); turn > 0; --turn)
                std::this_thread::yield();
              ledger.end(work);
            }
            schedule.finished(pack);
          }
        });
    }
    ledger.expect_all_done();
    if (HasFailure()) return;
  }
}

// A call of `next` by another thread.
class Asker {
 public:
  explicit Asker(Schedule& schedule)
      : answer_(
            std::async(std::launch::async, [&] { return schedule.next(); })) {}
  bool waits() {
    return answer_.wait_for(std::chrono::milliseconds(50)) ==
           std::future_status::timeout;
  }
  Pack get() { return answer_.get(); }

 private:
  std::future<Pack> answer_;
};

TEST(Schedule, WaitsForWorkInProgressThatAllElseDependsOn) {
  Plan plan;
  plan.threads = 2;
  plan.arrays = {make_array({4}, {4}, {{4}, {2}})};
  Schedule schedule(plan, false);
  const Pack first = schedule.next();
  ASSERT_EQ(first.size(), 1U);
  Asker other(schedule);
  EXPECT_TRUE(other.waits());
  schedule.finished(first);
  const Pack second = other.get();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].tasks.stage, 1);
}

TEST(Schedule, BeginsTheNextComponentWhereThreadsWouldWait) {
  Plan plan;
  plan.threads = 2;
  plan.arrays = {make_array({12}, {4}, {{4}, {2}})};
  Schedule schedule(plan, false);
  const Pack first = schedule.next(), second = schedule.next();
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(first[0].tasks.first, 0);
  EXPECT_EQ(second[0].tasks.first, 1);
  EXPECT_EQ(second[0].tasks.stage, 0);
  Asker third(schedule);  // A third would leave too much in the store.
  EXPECT_TRUE(third.waits());
  schedule.finished(second);
  const Pack pack = third.get();
  ASSERT_EQ(pack.size(), 1U);
  EXPECT_EQ(pack[0].tasks.stage, 1);
  EXPECT_EQ(pack[0].tasks.first, 2);
}

TEST(Schedule, GivesNothingAfterStop) {
  Plan plan;
  plan.threads = 3;
  plan.arrays = {make_array({4}, {4}, {{4}, {2}})};
  Schedule schedule(plan, false);
  const Pack pack = schedule.next();
  Asker waiting(schedule);
  EXPECT_TRUE(waiting.waits());
  EXPECT_FALSE(schedule.stopped());
  schedule.stop();
  EXPECT_TRUE(schedule.stopped());
  EXPECT_TRUE(waiting.get().empty());
  schedule.finished(pack);
  EXPECT_TRUE(schedule.next().empty());
}

TEST(Schedule, GivesOutWhatIsNotDoneAndEnds) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Plan plan = random_plan(random, 1);
    const std::int64_t part = pick(random, 0, 4);  // All of them, too.
    DoneTasks done;
    std::set<std::tuple<int, int, std::int64_t>> missing;
    for (int array = 0; array < static_cast<int>(plan.arrays.size()); ++array)
      for (int stage = 0;
           stage < static_cast<int>(plan.arrays[array].stages.size()); ++stage)
        for (std::int64_t task = 0;
             task < plan.arrays[array].stages[stage].tasks; ++task) {
          if (pick(random, 0, 3) < part)
            done.add({array, stage, task, task + 1});
          else
            missing.emplace(array, stage, task);
        }
    Schedule schedule(plan, pick(random, 0, 1) == 0, &done);
    for (Pack pack; !(pack = schedule.next()).empty();) {
      for (const Work& work : pack)
        for (std::int64_t task = work.tasks.first; task < work.tasks.stop;
             ++task)
          EXPECT_EQ(missing.erase({work.tasks.array, work.tasks.stage, task}),
                    work.release ? 0U : 1U);
      schedule.finished(pack);
    }
    EXPECT_TRUE(missing.empty());
    if (HasFailure()) return;
  }
}

// Works of each pack that one thread takes, where two are planned for.
std::vector<std::size_t> pack_sizes(const Plan& plan) {
  Schedule schedule(plan, false);
  std::vector<std::size_t> sizes;
  for (Pack pack; !(pack = schedule.next()).empty();) {
    sizes.push_back(pack.size());
    schedule.finished(pack);
  }
  return sizes;
}

Plan many_arrays(int count, std::int64_t bytes) {
  Plan plan;
  plan.threads = 2;
  for (int array = 0; array < count; ++array) {
    plan.arrays.push_back(make_array({10}, {10}, {{10}}));
    plan.arrays.back().stages[0].bytes_decoded = bytes;
  }
  return plan;
}

TEST(Schedule, PacksSmallArraysTogether) {
  const auto sizes = pack_sizes(many_arrays(2000, 80));
  EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}), 2000U);
  EXPECT_LT(sizes.size(), 160U);
  EXPECT_EQ(sizes.front(), 16U);
  EXPECT_EQ(sizes.back(), 1U);  // So that threads end together.
}

TEST(Schedule, GivesLargeTasksOutOneByOne) {
  const auto sizes = pack_sizes(many_arrays(200, 1 << 20));
  EXPECT_EQ(sizes.size(), 200U);
}

TEST(Schedule, OfNothingEndsAtOnce) {
  Plan plan;
  EXPECT_TRUE(Schedule(plan, false).next().empty());
  plan.arrays = {make_array({3, 0}, {3, 1}, {{1, 1}, {3, 1}})};
  EXPECT_TRUE(Schedule(plan, false).next().empty());
}

}  // namespace
}  // namespace rechunk

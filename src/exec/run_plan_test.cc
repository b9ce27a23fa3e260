#include "exec/run_plan.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

#include "rechunk/error.h"

namespace rechunk {
namespace {

// Array, stage, task.
using Name = std::tuple<int, int, std::int64_t>;

std::uint64_t mixed(const Name& name, std::uint64_t salt) {
  const auto& [array, stage, task] = name;
  std::uint64_t x = salt + 1000003 * static_cast<std::uint64_t>(task) +
                    101 * static_cast<std::uint64_t>(stage) +
                    7 * static_cast<std::uint64_t>(array);
  x *= 0x9E3779B97F4A7C15;
  return x ^ (x >> 29);
}

std::int64_t small(const Name& name, std::uint64_t salt) {
  return static_cast<std::int64_t>(mixed(name, salt) % 1000);
}

// Numbers that differ from task to task.
TaskResult result_of(const Name& name) {
  TaskResult result;
  result.report.counted = {1,
                           small(name, 1),
                           small(name, 2),
                           small(name, 3),
                           small(name, 4),
                           small(name, 5),
                           small(name, 6)};
  result.report.skipped.objects_read = small(name, 7);
  result.report.skipped.bytes_encoded = small(name, 8);
  result.digest = {{mixed(name, 9), mixed(name, 10)}};
  return result;
}

// Keeps books of what it is asked to do.
class FakeRunner final : public TaskRunner {
 public:
  TaskResult run(int array, int stage, std::int64_t task,
                 Arena& arena) override {
    const Name name{array, stage, task};
    {
      const std::lock_guard lock(mutex);
      EXPECT_TRUE(runs.insert(name).second) << "a task runs twice";
      EXPECT_TRUE(arenas.insert(&arena).second) << "two tasks share an arena";
      EXPECT_EQ(arena.used(), 0);
      capacity = std::max(capacity, arena.capacity());
      threads.insert(std::this_thread::get_id());
    }
    if (on_run) on_run(name);
    const std::lock_guard lock(mutex);
    arenas.erase(&arena);
    return result_of(name);
  }

  void release(const TaskRange& tasks) override {
    const std::lock_guard lock(mutex);
    for (std::int64_t task = tasks.first; task < tasks.stop; ++task)
      EXPECT_TRUE(releases.emplace(tasks.array, tasks.stage, task).second);
  }

  std::function<void(const Name&)> on_run;
  std::mutex mutex;
  std::set<Name> runs, releases;
  std::set<const Arena*> arenas;  // In use.
  std::set<std::thread::id> threads;
  std::int64_t capacity = 0;
};

StagedCopySpec make_array(Shape shape, const std::vector<Shape>& tasks,
                          std::int64_t task_bytes) {
  StagedCopySpec array;
  array.shape = array.component = std::move(shape);
  array.method = tasks.size() > 1 ? Method::kStaged : Method::kDirect;
  for (const Shape& chunks : tasks) {
    CopySpec stage;
    stage.chunks = stage.block = chunks;
    stage.tasks = Grid(array.shape, chunks).cell_count();
    stage.max_task_bytes = task_bytes += 17;
    array.stages.push_back(stage);
  }
  return array;
}

Plan make_plan_of(int threads) {
  Plan plan;
  plan.threads = threads;
  plan.arrays = {make_array({7, 9}, {{1, 9}, {3, 3}, {7, 2}}, 5000),
                 make_array({40}, {{1}}, 300), make_array({}, {{}}, 64)};
  plan.peak_memory = threads * (5000 + 3 * 17);
  plan.max_memory = plan.peak_memory + 100;
  return plan;
}

std::set<Name> all_tasks(const Plan& plan, bool without_last_stages) {
  std::set<Name> names;
  for (std::size_t array = 0; array < plan.arrays.size(); ++array) {
    const auto& stages = plan.arrays[array].stages;
    for (std::size_t stage = 0; stage + without_last_stages < stages.size();
         ++stage)
      for (std::int64_t task = 0; task < stages[stage].tasks; ++task)
        names.emplace(static_cast<int>(array), static_cast<int>(stage), task);
  }
  return names;
}

// All numbers of a report, to compare.
std::vector<std::int64_t> numbers(const StageReport& report) {
  std::vector<std::int64_t> all;
  for (const Counts* counts : {&report.counted, &report.skipped})
    for (const std::int64_t number :
         {counts->tasks, counts->objects_read, counts->bytes_decoded,
          counts->objects_written, counts->bytes_encoded,
          counts->stored_bytes_read, counts->stored_bytes_written})
      all.push_back(number);
  return all;
}

void expect_sums(const std::vector<ArrayResult>& results, const Plan& plan) {
  std::map<std::pair<int, int>, StageReport> reports;
  std::map<int, Digest> digests;
  for (const Name& name : all_tasks(plan, false)) {
    const auto& [array, stage, task] = name;
    reports[{array, stage}] += result_of(name).report;
    digests[array] += result_of(name).digest;
  }
  ASSERT_EQ(results.size(), plan.arrays.size());
  for (int array = 0; array < static_cast<int>(results.size()); ++array) {
    EXPECT_EQ(results[array].digest, digests[array]);
    ASSERT_EQ(results[array].stages.size(), plan.arrays[array].stages.size());
    for (int stage = 0;
         stage < static_cast<int>(plan.arrays[array].stages.size()); ++stage)
      EXPECT_EQ(numbers(results[array].stages[stage]),
                numbers(reports[{array, stage}]));
  }
}

TEST(RunPlan, RunsEveryTaskOnceAndAddsUpWhatTheyDid) {
  for (const int threads : {1, 2, 4, 9})
    for (const bool keep_temp : {false, true}) {
      const Plan plan = make_plan_of(threads);
      MemoryBudget budget(plan.max_memory);
      FakeRunner runner;
      const auto results =
          run_plan(plan, runner, budget, {.keep_temp = keep_temp});
      EXPECT_EQ(runner.runs, all_tasks(plan, false));
      EXPECT_EQ(runner.releases,
                keep_temp ? std::set<Name>{} : all_tasks(plan, true));
      expect_sums(results, plan);
      EXPECT_LE(static_cast<int>(runner.threads.size()), threads);
    }
}

TEST(RunPlan, HoldsNoMoreThanThePlanSays) {
  for (const auto& [threads, max_memory] :
       {std::pair{1, 5051 + 100}, std::pair{4, 4 * 5051 + 100},
        std::pair{4, 8000}}) {
    Plan plan = make_plan_of(threads);
    // In 8000 bytes there is room for one large task and for small ones.
    plan.max_memory = max_memory;
    plan.peak_memory = std::min(plan.max_memory, plan.peak_memory);
    MemoryBudget budget(plan.max_memory);
    FakeRunner runner;
    runner.on_run = [](const Name&) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    };
    run_plan(plan, runner, budget, {});
    EXPECT_EQ(runner.runs, all_tasks(plan, false));
    EXPECT_LE(budget.peak(), plan.peak_memory);
    EXPECT_GE(runner.capacity, 5000 + 3 * 17);
    // All is given back: else this would wait for ever.
    budget.acquire(plan.max_memory);
  }
}

TEST(RunPlan, HoldsNothingForAnArrayWithoutTasks) {
  Plan plan;
  plan.threads = 2;
  plan.arrays = {make_array({0, 9}, {{1, 9}, {1, 2}}, 1 << 20),
                 make_array({5}, {{2}}, 300)};
  MemoryBudget budget(1000);
  FakeRunner runner;
  run_plan(plan, runner, budget, {});
  EXPECT_EQ(runner.runs.size(), 3u);
  EXPECT_LE(budget.peak(), 2 * 317);
}

TEST(RunPlan, RunsTasksAtTheSameTime) {
  Plan plan;
  plan.threads = 3;
  plan.arrays = {make_array({3}, {{1}}, 100)};
  MemoryBudget budget(1000);
  FakeRunner runner;
  std::atomic<int> inside{0};
  runner.on_run = [&](const Name&) {
    ++inside;
    while (inside < 3) std::this_thread::yield();  // Until all are here.
  };
  run_plan(plan, runner, budget, {});
  EXPECT_EQ(runner.threads.size(), 3u);
  EXPECT_TRUE(runner.threads.contains(std::this_thread::get_id()));
}

TEST(RunPlan, ThrowsTheFirstErrorWhenAllHaveStopped) {
  Plan plan;
  plan.threads = 4;
  plan.arrays = {make_array({500}, {{1}}, 100)};
  MemoryBudget budget(1000);
  FakeRunner runner;
  std::atomic<int> inside{0};
  std::atomic<bool> thrown{false};
  runner.on_run = [&](const Name&) {
    const int number = ++inside;
    while (inside < 4) std::this_thread::yield();
    if (number == 4) {
      thrown = true;
      throw Error(ErrorKind::kCorrupt, "the first");
    }
    while (!thrown) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    if (number == 1) throw Error(ErrorKind::kIo, "a later one");
  };
  try {
    run_plan(plan, runner, budget, {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_STREQ(error.what(), "the first");
  }
  EXPECT_EQ(runner.runs.size(), 4u) << "tasks began after the error";
  budget.acquire(1000);
}

TEST(RunPlan, PassesOnErrorsOfReleases) {
  class Stubborn final : public TaskRunner {
    TaskResult run(int, int, std::int64_t, Arena&) override { return {}; }
    void release(const TaskRange&) override {
      throw Error(ErrorKind::kIo, "erasing: refused");
    }
  };
  const Plan plan = make_plan_of(3);
  MemoryBudget budget(plan.max_memory);
  Stubborn runner;
  EXPECT_THROW(run_plan(plan, runner, budget, {}), Error);
}

ErrorKind kind_of_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kInternal;
}

TEST(RunPlan, StopsOnRequest) {
  for (const int threads : {1, 3}) {
    Plan plan;
    plan.threads = threads;
    plan.arrays = {make_array({500}, {{1}}, 100)};
    MemoryBudget budget(1000);
    FakeRunner runner;
    std::stop_source stop;
    std::atomic<int> count{0};
    runner.on_run = [&](const Name&) {
      const int number = ++count;
      if (number == 20) stop.request_stop();
      while (number > 20 && !stop.stop_requested()) std::this_thread::yield();
    };
    EXPECT_EQ(kind_of_error([&] {
                run_plan(plan, runner, budget, {.stop = stop.get_token()});
              }),
              ErrorKind::kCancelled);
    // The others may be within a task, and not more than one, when it comes.
    EXPECT_GE(runner.runs.size(), 20u);
    EXPECT_LT(runner.runs.size(), 20u + static_cast<unsigned>(threads));
  }
}

TEST(RunPlan, BeginsNothingAfterARequestToStop) {
  const Plan plan = make_plan_of(2);
  MemoryBudget budget(plan.max_memory);
  FakeRunner runner;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(kind_of_error([&] {
              run_plan(plan, runner, budget, {.stop = stop.get_token()});
            }),
            ErrorKind::kCancelled);
  EXPECT_TRUE(runner.runs.empty());
}

TEST(RunPlan, TellsTheObserverUntilAllIsDone) {
  class Listener final : public Observer {
   public:
    void on_progress(const Progress& progress) override {
      EXPECT_FALSE(inside_.exchange(true)) << "two calls at a time";
      EXPECT_GE(progress.tasks_done, last.tasks_done);
      EXPECT_GE(progress.bytes_done, last.bytes_done);
      EXPECT_GE(progress.seconds, last.seconds);
      last = progress;
      ++calls;
      inside_ = false;
    }
    Progress last;
    int calls = 0;

   private:
    std::atomic<bool> inside_{false};
  };
  Plan plan = make_plan_of(4);
  std::int64_t bytes = 0, tasks = 0;
  for (const Name& name : all_tasks(plan, false)) {
    const auto& [array, stage, task] = name;
    const StageReport report = result_of(name).report;
    CopySpec& spec = plan.arrays[array].stages[stage];
    spec.bytes_decoded += report.counted.bytes_decoded;
    spec.bytes_encoded +=
        report.counted.bytes_encoded + report.skipped.bytes_encoded;
    bytes += report.counted.bytes_decoded + report.counted.bytes_encoded +
             report.skipped.bytes_encoded;
    ++tasks;
  }
  MemoryBudget budget(plan.max_memory);
  FakeRunner runner;
  Listener listener;
  run_plan(plan, runner, budget, {.observer = &listener});
  EXPECT_EQ(listener.last.tasks_done, tasks);
  EXPECT_EQ(listener.last.tasks_total, tasks);
  EXPECT_EQ(listener.last.bytes_done, bytes);
  EXPECT_EQ(listener.last.bytes_total, bytes);
  EXPECT_GE(listener.calls, 1);
  EXPECT_LE(listener.calls, 20) << "some times a second are enough";
}

TEST(RunIndexed, RunsEachIndexOnceWithinTheBudget) {
  for (const int threads : {1, 4})
    for (const std::int64_t count : {0, 1, 3, 1000}) {
      MemoryBudget budget(threads * 500);
      std::mutex mutex;
      std::set<std::int64_t> seen;
      run_indexed(count, threads, 500, budget, {},
                  [&](std::int64_t index, Arena& arena) {
                    EXPECT_EQ(arena.capacity(), 500);
                    const std::lock_guard lock(mutex);
                    EXPECT_TRUE(seen.insert(index).second);
                    EXPECT_LT(index, count);
                  });
      EXPECT_EQ(static_cast<std::int64_t>(seen.size()), count);
      budget.acquire(threads * 500);
    }
}

TEST(RunIndexed, StopsOnErrorsAndOnRequest) {
  MemoryBudget budget(1000);
  std::atomic<int> count{0};
  EXPECT_EQ(kind_of_error([&] {
              run_indexed(1000, 1, 10, budget, {}, [&](std::int64_t, Arena&) {
                if (++count == 7) throw Error(ErrorKind::kCorrupt, "seven");
              });
            }),
            ErrorKind::kCorrupt);
  EXPECT_EQ(count, 7);
  std::stop_source stop;
  EXPECT_EQ(kind_of_error([&] {
              run_indexed(1000, 3, 10, budget, stop.get_token(),
                          [&](std::int64_t, Arena&) {
                            const int number = ++count;
                            if (number == 50) stop.request_stop();
                            while (number > 50 && !stop.stop_requested())
                              std::this_thread::yield();
                          });
            }),
            ErrorKind::kCancelled);
  EXPECT_GE(count, 50);
  EXPECT_LT(count, 53);
}

}  // namespace
}  // namespace rechunk

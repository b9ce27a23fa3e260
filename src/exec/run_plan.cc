#include "exec/run_plan.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "base/arena_pool.h"
#include "exec/schedule.h"
#include "plan/planner.h"
#include "rechunk/error.h"
#include "rechunk/meter.h"

namespace rechunk {
namespace {

// The threads of a run: the first error asks the others to stop.
class Crew {
 public:
  explicit Crew(std::function<void()> on_stop) : on_stop_(std::move(on_stop)) {}

  void work(int threads, const std::function<void()>& loop) {
    std::vector<std::jthread> others;
    for (int thread = 1; thread < threads; ++thread)
      others.emplace_back([&] { guard(loop); });
    guard(loop);
    others.clear();  // Joins.
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void guard(const std::function<void()>& loop) noexcept {
    try {
      loop();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      on_stop_();
    }
  }

  std::function<void()> on_stop_;
  std::mutex mutex_;
  std::exception_ptr error_;
};

// What a run has still to do.
Progress expected(const Plan& plan, const DoneTasks* done) {
  Progress total = work_of(plan);
  if (!done) return total;
  for (int array = 0; array < static_cast<int>(plan.arrays.size()); ++array) {
    const auto& stages = plan.arrays[array].stages;
    for (int stage = 0; stage < static_cast<int>(stages.size()); ++stage) {
      const CopySpec& spec = stages[stage];
      const std::int64_t tasks_done = done->count(array, stage);
      if (tasks_done == 0) continue;
      total.tasks_done += tasks_done;
      // The journal has numbers of tasks, not their bytes.
      total.bytes_done += static_cast<std::int64_t>(
          static_cast<double>(spec.bytes_decoded + spec.bytes_encoded) *
          static_cast<double>(tasks_done) / static_cast<double>(spec.tasks));
    }
  }
  return total;
}

// Adds up what tasks did. Tells the observer now and then, also about tasks in
// progress.
class Results {
 public:
  Results(const Plan& plan, const RunOptions& options)
      : pulse_(options.pulse),
        meter_(expected(plan, options.done), options.observer) {
    if (options.observer && pulse_) pulse_->on_beat([this] { beat(); });
    for (const StagedCopySpec& array : plan.arrays)
      results_.push_back({std::vector<StageReport>(array.stages.size()), {}});
  }

  void add(const Work& work, const TaskResult& task) {
    const std::lock_guard lock(mutex_);
    ArrayResult& result = results_[work.tasks.array];
    result.stages[work.tasks.stage] += task.report;
    result.digest += task.digest;
    meter_.add(1, task.report.bytes());
    tell();
  }

  std::vector<ArrayResult> take() { return std::move(results_); }

 private:
  // A task does not wait for another one that is telling the observer.
  void beat() {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock) tell();
  }

  void tell() { meter_.tell(pulse_ ? pulse_->bytes() : 0); }

  Pulse* const pulse_;
  std::mutex mutex_;  ///< Of what follows.
  std::vector<ArrayResult> results_;
  Meter meter_;
};

std::int64_t task_count(const Plan& plan) {
  std::int64_t tasks = 0;
  for (const StagedCopySpec& array : plan.arrays)
    for (const CopySpec& stage : array.stages)
      tasks = std::max(tasks, stage.tasks);
  return tasks;
}

void carry_out(const Work& work, TaskRunner& runner, Arena& arena,
               Results& results) {
  const auto [array, stage, first, stop] = work.tasks;
  if (work.release) return runner.release(work.tasks);
  for (std::int64_t task = first; task < stop; ++task)
    results.add(work, runner.run(array, stage, task, arena));
}

std::int64_t arena_bytes(const Pack& pack, const ArenaSizes& sizes) {
  std::int64_t bytes = 0;
  for (const Work& work : pack)
    if (!work.release)
      bytes = std::max(bytes, sizes.of(work.tasks.array, work.tasks.stage));
  return bytes;
}

[[noreturn]] void throw_cancelled() {
  throw Error(ErrorKind::kCancelled, "stopped on request");
}

}  // namespace

ArenaSizes::ArenaSizes(const Plan& plan) : plan_(plan) {
  const std::int64_t share = plan.max_memory / std::max(1, plan.threads);
  for (const StagedCopySpec& array : plan.arrays)
    for (const CopySpec& stage : array.stages)
      // One size for most stages, so that a thread can use the same arena
      // again.
      if (stage.tasks > 0 && stage.max_task_bytes <= share)
        shared_ = std::max(shared_, stage.max_task_bytes);
}

std::int64_t ArenaSizes::of(int array, int stage) const {
  return std::max(shared_, plan_.arrays[array].stages[stage].max_task_bytes);
}

// 1. The schedule knows which tasks may run, which of them are small enough to
//    be run as a pack, and which intermediates may be released.
// 2. Each thread asks it for a pack. It waits there while others must finish
//    first.
// 3. The thread borrows an arena that holds the largest task of the pack. It
//    waits there while the budget has no room. So it holds memory only for work
//    that can go on, and no two threads wait for each other.
// 4. It runs the tasks of the pack, and tells the schedule, which may wake
//    others.
// 5. A thread without a task helps the tasks of others: it decodes and encodes
//    chunks for them (`IdleThreads`). It is counted as idle between packs.
// 6. The first error, or a request to stop, stops the schedule. All threads
//    end, and the error is thrown.
std::vector<ArrayResult> run_plan(const Plan& plan, TaskRunner& runner,
                                  MemoryBudget& budget,
                                  const RunOptions& options) {
  Schedule schedule(plan, options.keep_temp, options.done, options.idle);
  if (options.idle) options.idle->on_post([&] { schedule.wake(); });
  Results results(plan, options);
  const std::stop_callback on_request(options.stop, [&] { schedule.stop(); });
  const ArenaSizes sizes(plan);
  const std::int64_t largest = largest_task_bytes(plan);
  ArenaPool arenas(budget);
  // Without sharing, more threads than tasks would only wait.
  const std::int64_t tasks = task_count(plan);
  const auto threads =
      options.idle && tasks > 0
          ? plan.threads
          : static_cast<int>(std::clamp<std::int64_t>(tasks, 1, plan.threads));
  if (options.idle) options.idle->enter(threads);
  // The token shows a request before its callback has stopped the schedule.
  const auto stopped = [&] {
    return options.stop.stop_requested() || schedule.stopped();
  };
  const auto loop = [&] {
    for (Pack pack; !(pack = schedule.next()).empty();) {
      if (pack.front().help) {
        // The parts may be of any task, so the arena holds the largest.
        arenas.lend(largest, [&](Arena& arena) { options.idle->help(arena); });
        continue;
      }
      if (options.idle) options.idle->leave();
      arenas.lend(arena_bytes(pack, sizes), [&](Arena& arena) {
        for (const Work& work : pack)
          if (!stopped()) carry_out(work, runner, arena, results);
      });
      if (options.idle) options.idle->enter();
      schedule.finished(pack);
    }
  };
  try {
    Crew([&] { schedule.stop(); }).work(threads, loop);
  } catch (const Error& error) {
    // The error also says what a task was doing. That would look like a
    // failure.
    if (error.kind() == ErrorKind::kCancelled) throw_cancelled();
    throw;
  }
  if (options.stop.stop_requested()) throw_cancelled();
  return results.take();
}

void run_indexed(std::int64_t count, int threads, std::int64_t arena_bytes,
                 MemoryBudget& budget, std::stop_token stop,
                 const std::function<void(std::int64_t, Arena&)>& task) {
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stopped{false};
  Crew([&] {
    stopped = true;
  }).work(static_cast<int>(std::clamp<std::int64_t>(count, 1, threads)), [&] {
    // Once per thread, because all indices need the same memory.
    Arena arena = budget.acquire(arena_bytes);
    while (!stopped && !stop.stop_requested()) {
      const std::int64_t index = next++;
      if (index >= count) return;
      task(index, arena);
    }
  });
  if (stop.stop_requested()) throw_cancelled();
}

}  // namespace rechunk

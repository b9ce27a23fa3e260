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

namespace rechunk {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kProgressInterval = std::chrono::milliseconds(100);

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

// Adds up what tasks did, and tells the observer now and then, also of tasks
// in progress.
class Tally {
 public:
  Tally(const Plan& plan, const RunOptions& options)
      : observer_(options.observer),
        pulse_(options.pulse),
        begin_(Clock::now()),
        last_told_(begin_) {
    if (observer_ && pulse_) pulse_->on_beat([this] { beat(); });
    for (const StagedCopySpec& array : plan.arrays) {
      const auto index = static_cast<int>(results_.size());
      results_.push_back({std::vector<StageReport>(array.stages.size()), {}});
      for (int stage = 0; stage < static_cast<int>(array.stages.size());
           ++stage)
        expect(array.stages[stage],
               options.done ? options.done->count(index, stage) : 0);
    }
  }

  void add(const Work& work, const TaskResult& task) {
    const std::lock_guard lock(mutex_);
    results_[work.array].stages[work.stage] += task.report;
    results_[work.array].digest += task.digest;
    ++progress_.tasks_done;
    for (const Counts* counts : {&task.report.counted, &task.report.skipped})
      progress_.bytes_done += counts->bytes_decoded + counts->bytes_encoded;
    tell(progress_.tasks_done == progress_.tasks_total);
  }

  std::vector<ArrayResult> take() { return std::move(results_); }

 private:
  void beat() {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock) tell(false);
  }

  // With the lock held. Never less than before, though a task may fail.
  void tell(bool last) {
    const auto now = Clock::now();
    if (!observer_ || (now - last_told_ < kProgressInterval && !last)) return;
    last_told_ = now;
    Progress progress = progress_;
    if (pulse_)
      progress.bytes_done =
          std::clamp(progress.bytes_done + pulse_->bytes(), bytes_told_,
                     std::max(bytes_told_, progress.bytes_total));
    bytes_told_ = progress.bytes_done;
    progress.seconds = std::chrono::duration<double>(now - begin_).count();
    observer_->on_progress(progress);
  }

  void expect(const CopySpec& stage, std::int64_t done) {
    const std::int64_t bytes = stage.bytes_decoded + stage.bytes_encoded;
    progress_.tasks_total += stage.tasks;
    progress_.bytes_total += bytes;
    progress_.tasks_done += done;
    if (done > 0)
      progress_.bytes_done += static_cast<std::int64_t>(
          static_cast<double>(bytes) * static_cast<double>(done) /
          static_cast<double>(stage.tasks));
  }

  Observer* const observer_;
  Pulse* const pulse_;
  std::mutex mutex_;
  std::vector<ArrayResult> results_;
  Progress progress_;  ///< Of tasks that are done.
  std::int64_t bytes_told_ = 0;
  Clock::time_point begin_, last_told_;
};

std::int64_t task_count(const Plan& plan) {
  std::int64_t tasks = 0;
  for (const StagedCopySpec& array : plan.arrays)
    for (const CopySpec& stage : array.stages)
      tasks = std::max(tasks, stage.tasks);
  return tasks;
}

void carry_out(const Work& work, TaskRunner& runner, Arena& arena,
               Tally& tally) {
  for (std::int64_t task = work.first; task < work.stop; ++task) {
    if (work.release)
      runner.release(work.array, work.stage, task);
    else
      tally.add(work, runner.run(work.array, work.stage, task, arena));
  }
}

std::int64_t arena_bytes(const Pack& pack, const ArenaSizes& sizes) {
  std::int64_t bytes = 0;
  for (const Work& work : pack)
    if (!work.release)
      bytes = std::max(bytes, sizes.of(work.array, work.stage));
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
      if (stage.tasks > 0 && stage.max_task_bytes <= share)
        shared_ = std::max(shared_, stage.max_task_bytes);
}

std::int64_t ArenaSizes::of(int array, int stage) const {
  return std::max(shared_, plan_.arrays[array].stages[stage].max_task_bytes);
}

std::vector<ArrayResult> run_plan(const Plan& plan, TaskRunner& runner,
                                  MemoryBudget& budget,
                                  const RunOptions& options) {
  Schedule schedule(plan, options.keep_temp, options.done, options.idle);
  if (options.idle) options.idle->on_post([&] { schedule.wake(); });
  Tally tally(plan, options);
  const std::stop_callback on_request(options.stop, [&] { schedule.stop(); });
  const ArenaSizes sizes(plan);
  const std::int64_t largest = largest_task_bytes(plan);
  ArenaPool arenas(budget);
  const std::int64_t tasks = task_count(plan);
  const auto threads =
      options.idle && tasks > 0
          ? plan.threads
          : static_cast<int>(std::clamp<std::int64_t>(tasks, 1, plan.threads));
  if (options.idle) options.idle->enter(threads);
  // A request is seen here before its callback has stopped the schedule.
  const auto stopped = [&] {
    return options.stop.stop_requested() || schedule.stopped();
  };
  const auto loop = [&] {
    for (Pack pack; !(pack = schedule.next()).empty();) {
      if (pack.front().help) {
        arenas.lend(largest, [&](Arena& arena) { options.idle->help(arena); });
        continue;
      }
      if (options.idle) options.idle->leave();
      arenas.lend(arena_bytes(pack, sizes), [&](Arena& arena) {
        for (const Work& work : pack)
          if (!stopped()) carry_out(work, runner, arena, tally);
      });
      if (options.idle) options.idle->enter();
      schedule.finished(pack);
    }
  };
  try {
    Crew([&] { schedule.stop(); }).work(threads, loop);
  } catch (const Error& error) {
    // Whatever a task was doing when it saw the request.
    if (error.kind() == ErrorKind::kCancelled) throw_cancelled();
    throw;
  }
  if (options.stop.stop_requested()) throw_cancelled();
  return tally.take();
}

void run_indexed(std::int64_t count, int threads, std::int64_t arena_bytes,
                 MemoryBudget& budget, std::stop_token stop,
                 const std::function<void(std::int64_t, Arena&)>& task) {
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stopped{false};
  Crew([&] {
    stopped = true;
  }).work(static_cast<int>(std::clamp<std::int64_t>(count, 1, threads)), [&] {
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

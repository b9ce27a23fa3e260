#include "job/worker.h"

#include <fmt/format.h>

#include <algorithm>

#include "exec/run_plan.h"
#include "job/machine.h"
#include "job/target_place.h"
#include "job/verify_target.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

const std::shared_ptr<Store>& journal_store(const PlannedJob& job) {
  if (!job.stores.journal)
    throw Error(ErrorKind::kInternal, "this job has no store for its journal");
  return job.stores.journal;
}

// Of all targets.
std::int64_t objects_written(const Tally& done) {
  std::int64_t objects = 0;
  for (const auto& stages : done.stages)
    if (!stages.empty()) objects += stages.back().counted.objects_written;
  return objects;
}

}  // namespace

Arena ArenaPool::take() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [&] { return !idle_.empty() || made_ < count_; });
  if (idle_.empty()) {
    ++made_;
    return budget_.acquire(arena_bytes_);
  }
  Arena arena = std::move(idle_.back());
  idle_.pop_back();
  return arena;
}

void ArenaPool::put_back(Arena arena) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(arena));
  }
  returned_.notify_one();
}

void ArenaPool::drop_idle() {
  const std::lock_guard lock(mutex_);
  made_ -= static_cast<int>(idle_.size());
  idle_.clear();
}

Worker::Worker(const PlannedJob& job)
    : job_(job),
      journal_(journal_store(job)),
      runner_(job.plan, job.source, job.target, job.stores, job.options),
      arenas_(largest_task_bytes(job.plan), job.plan.threads) {}

void Worker::prepare() {
  if (const auto running = journal_.plan_hash()) {
    if (*running == job_.hash) return;
    if (!job_.options.overwrite) check_target(job_);  // Throws.
    journal_.erase();
  }
  if (begun_elsewhere() || !journal_.claim()) return prepare();
  try {
    check_target(job_);  // Again: a whole run may have come and gone.
    make_room(job_);
    journal_.begin(job_.text);
  } catch (const Error&) {
    journal_.erase();
    throw;
  }
}

// Whether another process began since this one looked, so that what stands at
// the target is of this run. Throws: as check_target.
bool Worker::begun_elsewhere() const {
  try {
    check_target(job_);
    return false;
  } catch (const Error&) {
    if (is_running()) return true;
    throw;
  }
}

void Worker::check_batch(const Journal::Batch& batch) const {
  const Plan& plan = job_.plan;
  const auto fail = [](const std::string& what) {
    throw Error(ErrorKind::kInvalidArgument, "running tasks: " + what);
  };
  if (batch.array < 0 || batch.array >= static_cast<int>(plan.arrays.size()))
    fail(fmt::format("the plan has {} arrays, none is {}", plan.arrays.size(),
                     batch.array));
  const auto& stages = plan.arrays[batch.array].stages;
  if (batch.stage < 0 || batch.stage >= static_cast<int>(stages.size()))
    fail(fmt::format("array {} has {} stages, none is {}", batch.array,
                     stages.size(), batch.stage));
  const std::int64_t tasks = stages[batch.stage].tasks;
  if (batch.first < 0 || batch.stop < batch.first || batch.stop > tasks)
    fail(fmt::format("stage {} of array {} has {} tasks, no {}..{}",
                     batch.stage, batch.array, tasks, batch.first, batch.stop));
}

// True if the run was committed: then a task that an engine repeats has nothing
// to do. Throws where no run of this plan is going on.
bool Worker::is_over() const {
  if (is_running()) return false;
  if (is_committed(job_)) return true;
  throw Error(ErrorKind::kInvalidArgument,
              job_.stores.target->describe("") +
                  ": no run of this plan is going on there",
              "prepare it first; `rechunk task` does");
}

bool Worker::is_running() const { return journal_.plan_hash() == job_.hash; }

bool Worker::committed() const { return !is_running() && is_committed(job_); }

StageReport Worker::run_tasks(const Journal::Batch& batch) {
  check_batch(batch);
  if (batch.first == batch.stop || is_over() || journal_.has(batch)) return {};
  TaskResult sum;
  try {
    sum = run_all(batch);
    journal_.record(batch, sum);
  } catch (const Error&) {
    if (!committed()) throw;  // Else it ran twice; what it read is gone.
    sum = {};
  }
  // A run that was committed meanwhile must find nothing left behind.
  if (!journal_.plan_hash()) clean_up(job_, false);
  return sum.report;
}

TaskResult Worker::run_all(const Journal::Batch& batch) {
  TaskResult sum;
  arenas_.lend([&](Arena& arena) {
    for (std::int64_t task = batch.first; task < batch.stop; ++task) {
      const ArenaScope scope(arena);
      const TaskResult result =
          runner_.run(batch.array, batch.stage, task, arena);
      sum.report += result.report;
      sum.digest += result.digest;
    }
  });
  return sum;
}

void Worker::release(const Journal::Batch& batch) {
  check_batch(batch);
  if (job_.options.keep_temp) return;
  for (std::int64_t task = batch.first; task < batch.stop; ++task)
    runner_.release(batch.array, batch.stage, task);
}

bool Worker::complete() const {
  return is_running() && tally(job_.plan, journal_.batches()).missing.empty();
}

Report Worker::commit(bool by_journal) {
  Report report;
  if (is_over()) return report;
  Tally done = tally(job_.plan, journal_.records());
  if (by_journal && !done.missing.empty()) {
    if (committed()) return report;  // By another process, just now.
    throw Error(ErrorKind::kInvalidArgument,
                "committing " + job_.stores.target->describe("") +
                    ": not all tasks are done, the first is " + done.missing);
  }
  if (by_journal && objects_written(done) > 0 && target_is_empty(job_))
    throw Error(ErrorKind::kCorrupt,
                "committing " + job_.stores.target->describe("") +
                    ": its chunks were removed since they were written",
                "remove " + journal_store(job_)->describe("") +
                    ", too, and run all tasks again");
  if (!by_journal) done.digests.assign(done.digests.size(), std::nullopt);
  for (const auto& stages : done.stages) report.arrays.push_back({stages, ""});
  if (job_.options.verify) {
    arenas_.drop_idle();
    MemoryBudget budget(job_.options.max_memory);
    verify_target(job_, done.digests, {budget, job_.plan.threads, {}}, report);
  }
  write_hierarchy(*job_.stores.target, job_.target);
  clean_up(job_, false);
  report.max_rss = max_rss();
  return report;
}

}  // namespace rechunk

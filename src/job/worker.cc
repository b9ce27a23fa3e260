#include "job/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "base/retry.h"
#include "job/partial_objects.h"
#include "job/replacement.h"
#include "job/resume_check.h"
#include "job/target_place.h"
#include "plan/planner.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);
constexpr auto kInterval = std::chrono::milliseconds(20);

const std::shared_ptr<Store>& journal_store(const PlannedJob& job) {
  if (!job.stores.journal)
    throw Error(ErrorKind::kInternal, "this job has no store for its journal");
  return job.stores.journal;
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::kInvalidArgument, "running tasks: " + what);
}

}  // namespace

Worker::Worker(const PlannedJob& job)
    : job_(job),
      journal_(journal_store(job), job.hash),
      runner_(job),
      arena_sizes_(job.plan),
      budget_(process_budget(job)),
      arenas_(budget_),
      attendance_(journal_.store(), [this] { look_behind(); }) {}

void Worker::lead(Unfinished unfinished) {
  const std::lock_guard lock(mutex_);
  known_.reset();
  ended_ = false;
  report_.reset();
  leader_.emplace(job_, runner_, unfinished);
}

bool Worker::leave() noexcept {
  const std::lock_guard lock(mutex_);
  if (!leader_) return false;
  const bool kept = leader_->leave();
  leader_.reset();
  return kept;
}

std::optional<std::string> Worker::step_down() {
  const std::lock_guard lock(mutex_);
  auto report = std::exchange(report_, std::nullopt);
  if (!report) report = journal_.take_report();
  if (leader_ && !has_beats(*journal_.store())) leader_->leave();
  leader_.reset();
  // Whoever led the run knows that it has ended; late tasks may well fail.
  if (journal_tells_the_end(job_) && committed()) journal_.erase_committed();
  return report;
}

void Worker::prepare() {
  const std::lock_guard lock(mutex_);
  const auto begin = std::chrono::steady_clock::now();
  while (!leader_ && !join()) {
    if (std::chrono::steady_clock::now() - begin > kPatience)
      throw Error(ErrorKind::kIo,
                  "preparing " + journal_.store()->describe("") +
                      ": another process began to and did not finish",
                  "remove that folder if no other process is at work");
    std::this_thread::sleep_for(kInterval);
  }
}

// Joins a run of this plan, or begins it for all that come. False: another
// process is just doing so.
//
// 1. Somebody is at work. If the run is ready, this process joins it. If it is
//    another plan's, that is an error. Else the other is still making room.
// 2. Nobody is at work, but the last team ended well: it can be joined as it
// is.
// 3. Else a process was killed, or there is no run. One process takes the lock;
//    for the others the answer is 1 soon.
// 4. It finds a run that was ready: it removes half-written files, drops
// records
//    that no longer hold, and gives all processes a reason to look again.
// 5. It finds a run whose room was not made: it makes it.
// 6. It finds nothing of this plan: it begins the run.
bool Worker::join() {
  const Store& journal = *journal_.store();
  const auto owner = owner_of(journal);
  if (owner && is_at_work(journal, *owner, 0)) {
    if (journal_.is_running()) return true;
    if (owner->plan_hash != job_.hash) RunLock::refuse_if_busy(journal);
    return false;
  }
  // A team whose processes have all ended well left everything as it says.
  if (owner && owner->team && owner->plan_hash == job_.hash &&
      !has_beats(journal) && journal_.is_running())
    return true;
  const bool unfinished = running_plan_hash(journal) == job_.hash;
  if (!unfinished) check_target(job_);
  const auto lock = RunLock::prepare(journal_.store(), job_.hash);
  if (!lock) return false;
  known_.reset();
  if (journal_.is_running()) {
    remove_leftovers(job_);
    if (!exchange_has_begun(job_)) records_that_hold(job_, journal_, runner_);
    journal_.set_resumed();
  } else if (running_plan_hash(journal) == job_.hash) {
    make_room(job_);
    journal_.set_ready();
  } else {
    try {
      begin_run(job_, journal_, runner_.sources());
    } catch (const Error&) {
      RunLock::erase(*journal_.store());
      throw;
    }
  }
  return true;
}

void Worker::check_array(int array) const {
  const auto arrays = static_cast<int>(job_.plan.arrays.size());
  if (array < 0 || array >= arrays)
    refuse(fmt::format("the plan has {} arrays, none is {}", arrays, array));
}

void Worker::check_batch(const TaskRange& batch) const {
  check_array(batch.array);
  const auto& stages = job_.plan.arrays[batch.array].stages;
  if (batch.stage < 0 || batch.stage >= static_cast<int>(stages.size()))
    refuse(fmt::format("array {} has {} stages, none is {}", batch.array,
                       stages.size(), batch.stage));
  const std::int64_t tasks = stages[batch.stage].tasks;
  if (batch.first < 0 || batch.stop < batch.first || batch.stop > tasks)
    refuse(fmt::format("stage {} of array {} has {} tasks, no {}..{}",
                       batch.stage, batch.array, tasks, batch.first,
                       batch.stop));
}

// True if the run was committed: then a task that an engine repeats has nothing
// to do. Throws where no run of this plan is going on.
bool Worker::is_over() const {
  if (journal_.is_running()) return false;
  if (ended_ || is_committed(job_)) return true;
  throw Error(ErrorKind::kInvalidArgument,
              visible_target(job_)->describe("") +
                  ": no run of this plan is going on there",
              "prepare it first; " + action("task") + " does");
}

bool Worker::committed() const {
  return !journal_.is_running() && is_committed(job_);
}

// What of the batches has no record. What is known is read again: the process
// that resumed the run may have found it wanting.
std::vector<TaskRange> Worker::undone(const Journal::RunName& run,
                                      std::span<const TaskRange> batches) {
  std::vector<std::string> keys;
  {
    const std::lock_guard lock(mutex_);
    if (!known_ || known_->run() != run)
      known_.emplace(journal_, job_.plan, run);
    keys = known_->keys_of(batches);
  }
  DoneTasks done;
  for (const std::string& key : keys)
    if (const auto record = journal_.read(job_.plan, run.run, key))
      for (const BatchRecord& one : record->batches) done.add(one.tasks);
  std::vector<TaskRange> left;
  for (const TaskRange& batch : batches) {
    const auto gaps = done.undone(batch);
    left.insert(left.end(), gaps.begin(), gaps.end());
  }
  return left;
}

// One request tells whether the run goes on, another records what was done.
StageReport Worker::run_tasks(std::span<const TaskRange> batches) {
  std::vector<TaskRange> asked;
  for (const TaskRange& batch : batches) {
    check_batch(batch);
    if (batch.count() > 0) asked.push_back(batch);
  }
  if (asked.empty()) return {};
  auto run = journal_.run();
  if (!run) {
    if (is_over()) return {};
    run = journal_.run();  // A store did not find it at once.
    if (!run)
      throw Error(ErrorKind::kIo,
                  "running tasks: " + journal_.store()->describe("ready") +
                      " comes and goes");
  }
  const Attendance::Batch working = attendance_.begin_batch(run->since);
  try {
    return run_undone(*run, asked);
  } catch (const Error&) {
    // It ran twice, and what it read is gone: that is no failure.
    if (!is_done_by_others(*run, asked)) throw;
    return {};
  }
}

StageReport Worker::run_undone(const Journal::RunName& run,
                               std::span<const TaskRange> batches) {
  StageReport report;
  const std::vector<TaskRange> left = undone(run, batches);
  if (left.empty()) return report;
  for (const BatchRecord& record : run_recorded(run.run, left))
    report += record.result.report;
  return report;
}

// What other processes have recorded, or committed, since this one looked.
bool Worker::is_done_by_others(const Journal::RunName& run,
                               std::span<const TaskRange> batches) noexcept {
  try {
    if (committed()) return true;
    {
      const std::lock_guard lock(mutex_);
      known_.reset();
    }
    const auto now = journal_.run();
    return now && now->run == run.run && undone(*now, batches).empty();
  } catch (const Error&) {
    return false;  // The error that led to the question matters more.
  }
}

// A run may end while a task of it runs a second time. Nothing of that must
// stay: its record, its intermediates, its sign of life.
void Worker::look_behind() noexcept {
  try {
    if (is_begun(*journal_.store())) return;
    clean_up(job_, false);
    erase_beat(*journal_.store());
  } catch (const Error&) {
    // Whoever runs here next erases it.
  }
}

// Batches before one that fails are done.
std::vector<BatchRecord> Worker::run_recorded(
    const std::string& run, const std::vector<TaskRange>& batches) {
  std::vector<BatchRecord> records;
  std::exception_ptr failure;
  try {
    std::int64_t bytes = 0;
    for (const TaskRange& batch : batches)
      bytes = std::max(bytes, arena_sizes_.of(batch.array, batch.stage));
    arenas_.lend(bytes, [&](Arena& arena) {
      for (const TaskRange& batch : batches)
        records.push_back({batch, run_all(batch, arena)});
    });
  } catch (const Error&) {
    if (records.empty()) throw;
    failure = std::current_exception();
  }
  make_durable(job_);
  journal_.record(run, records);
  {
    const std::lock_guard lock(mutex_);
    if (known_) known_->add(records);
  }
  if (failure) std::rethrow_exception(failure);
  return records;
}

TaskResult Worker::run_all(const TaskRange& batch, Arena& arena) {
  TaskResult sum;
  for (std::int64_t task = batch.first; task < batch.stop; ++task) {
    const ArenaScope scope(arena);
    const TaskResult result =
        runner_.run(batch.array, batch.stage, task, arena);
    sum.report += result.report;
    sum.digest += result.digest;
  }
  return sum;
}

void Worker::release(const TaskRange& batch) {
  check_batch(batch);
  if (job_.options.keep_temp) return;
  runner_.release(batch);
}

void Worker::publish(int array, const std::string& key,
                     std::optional<std::span<const std::byte>> object) {
  check_array(array);
  PartialObjects* const objects = runner_.partial_objects(array);
  if (objects == nullptr) refuse(fmt::format("array {} does not grow", array));
  retrying([&] { objects->publish(key, object); });
}

bool Worker::complete() const {
  return journal_.is_running() && tally(job_.plan, journal_.records(job_.plan))
                                      .missing(job_.plan)
                                      .empty();
}

}  // namespace rechunk

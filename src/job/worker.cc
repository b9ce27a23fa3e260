#include "job/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <set>
#include <thread>

#include "base/machine.h"
#include "base/retry.h"
#include "job/partial_objects.h"
#include "job/replacement.h"
#include "job/resume_check.h"
#include "job/source_files.h"
#include "job/target_place.h"
#include "job/verify_target.h"
#include "plan/planner.h"
#include "rechunk/error.h"
#include "request/strict.h"

namespace rechunk {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);
constexpr auto kInterval = std::chrono::milliseconds(20);

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
      arenas_(budget_) {}

Worker::~Worker() {
  if (last_beat_ == 0) return;
  try {
    erase_beat(*journal_.store());
  } catch (const Error&) {
    // It grows old.
  }
}

void Worker::lead(Unfinished unfinished) {
  const std::lock_guard lock(mutex_);
  known_.reset();
  ended_ = false;
  leader_.emplace(job_, runner_, unfinished);
}

bool Worker::leave() noexcept {
  const std::lock_guard lock(mutex_);
  if (!leader_) return false;
  const bool kept = leader_->leave();
  leader_.reset();
  return kept;
}

void Worker::step_down() {
  const std::lock_guard lock(mutex_);
  if (leader_ && !has_beats(*journal_.store())) leader_->leave();
  leader_.reset();
  // Whoever led the run knows that it has ended; late tasks may well fail.
  if (journal_tells_the_end(job_) && committed()) journal_.erase_committed();
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
    if (!exchange_has_begun(job_)) records_that_hold(job_, journal_, runner_);
  } else if (running_plan_hash(journal) == job_.hash) {
    make_room(job_);
    journal_.set_ready();
  } else {
    try {
      begin_run(job_, journal_);
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

void Worker::check_batch(const Batch& batch) const {
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

bool Worker::was_committed() const noexcept {
  try {
    return committed();
  } catch (const Error&) {
    return false;  // The error that led to the question matters more.
  }
}

// What of the batches has no record. Those that were there at the beginning
// are read again: the run may have begun anew since.
std::vector<Batch> Worker::undone(std::span<const Batch> batches) {
  std::set<std::string> keys{Journal::key_of(batches.front())};
  {
    const std::lock_guard lock(mutex_);
    if (!known_) {
      known_.emplace();
      for (const Journal::Record& record : journal_.records(job_.plan))
        for (const BatchRecord& one : record.batches)
          known_->emplace_back(one.batch, record.key);
    }
    for (const auto& [known, key] : *known_)
      if (std::any_of(batches.begin(), batches.end(), [&](const Batch& batch) {
            return known.array == batch.array && known.stage == batch.stage &&
                   known.first < batch.stop && batch.first < known.stop;
          }))
        keys.insert(key);
  }
  DoneTasks done;
  for (const std::string& key : keys)
    if (const auto record = journal_.read(job_.plan, key))
      for (const BatchRecord& one : record->batches)
        done.add(one.batch.array, one.batch.stage,
                 {one.batch.first, one.batch.stop});
  std::vector<Batch> left;
  for (const Batch& batch : batches)
    for (const auto& [first, stop] :
         done.undone(batch.array, batch.stage, {batch.first, batch.stop}))
      left.push_back({batch.array, batch.stage, first, stop});
  return left;
}

StageReport Worker::run_tasks(std::span<const Batch> batches) {
  std::vector<Batch> asked;
  for (const Batch& batch : batches) {
    check_batch(batch);
    if (batch.first < batch.stop) asked.push_back(batch);
  }
  if (asked.empty() || is_over()) return {};
  const Heartbeat heartbeat(journal_.store(), last_beat_);
  return run_and_record(undone(asked));
}

StageReport Worker::run_and_record(const std::vector<Batch>& batches) {
  StageReport report;
  try {
    for (const BatchRecord& record : run_recorded(batches))
      report += record.result.report;
  } catch (const Error&) {
    if (!was_committed()) throw;  // Else it ran twice; what it read is gone.
    report = {};
  }
  // A run that was committed meanwhile must find nothing left behind.
  if (!is_begun(*journal_.store())) clean_up(job_, false);
  return report;
}

// Batches before one that fails are done.
std::vector<BatchRecord> Worker::run_recorded(
    const std::vector<Batch>& batches) {
  std::vector<BatchRecord> records;
  std::exception_ptr failure;
  try {
    std::int64_t bytes = 0;
    for (const Batch& batch : batches)
      bytes = std::max(bytes, arena_sizes_.of(batch.array, batch.stage));
    arenas_.lend(bytes, [&](Arena& arena) {
      for (const Batch& batch : batches)
        records.push_back({batch, run_all(batch, arena)});
    });
  } catch (const Error&) {
    if (records.empty()) throw;
    failure = std::current_exception();
  }
  make_durable(job_);
  journal_.record(records);
  if (failure) std::rethrow_exception(failure);
  return records;
}

TaskResult Worker::run_all(const Batch& batch, Arena& arena) {
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

void Worker::release(const Batch& batch) {
  check_batch(batch);
  if (job_.options.keep_temp) return;
  for (std::int64_t task = batch.first; task < batch.stop; ++task)
    runner_.release(batch.array, batch.stage, task);
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

Report Worker::commit(bool by_journal) {
  Report report;
  if (is_over()) return report;
  Tally done = tally(job_.plan, journal_.records(job_.plan));
  const std::string missing = done.missing(job_.plan);
  if (by_journal && !missing.empty()) {
    if (committed()) return report;  // By another process, just now.
    throw Error(ErrorKind::kInvalidArgument,
                "committing " + job_.stores.target->describe("") +
                    ": not all tasks are done, the first is " + missing);
  }
  if (by_journal && objects_written(done) > 0 && !exchange_has_begun(job_) &&
      target_is_empty(job_))
    throw Error(ErrorKind::kCorrupt,
                "committing " + job_.stores.target->describe("") +
                    ": its chunks were removed since they were written",
                "remove " + journal_store(job_)->describe("") +
                    ", too, and run all tasks again");
  // Tasks look themselves.
  if (!by_journal) SourceCheck(job_).look_at_all();
  if (!by_journal) done.digests.assign(done.digests.size(), std::nullopt);
  for (const auto& stages : done.stages)
    report.arrays.push_back({stages, "", {}});
  add_found(report);
  if (exchange_has_begun(job_)) {
    finish();
    return report;
  }
  arenas_.drop_idle();
  MemoryBudget budget = process_budget(job_);
  if (job_.options.verify)
    verify_target(job_, done.digests, {budget, job_.plan.threads, {}}, report);
  copy_files(job_, budget, report);
  note_replacement(job_, report.notes);
  refuse_notes(job_.options, report.notes);
  finish();
  report.max_rss = max_rss();
  return report;
}

// What was done before this process began to lead the run.
void Worker::add_found(Report& report) {
  const std::lock_guard lock(mutex_);
  if (!leader_ || !leader_->resumed()) return;
  for (std::size_t array = 0; array < report.arrays.size(); ++array)
    for (std::size_t stage = 0; stage < report.arrays[array].stages.size();
         ++stage)
      report.arrays[array].found_tasks.push_back(leader_->found().done.count(
          static_cast<int>(array), static_cast<int>(stage)));
}

void Worker::finish() {
  const std::lock_guard lock(mutex_);
  if (leader_)
    leader_->commit();
  else
    commit_metadata(job_, nullptr);
  // Who leads a run knows when it has ended; others may come late.
  if (journal_tells_the_end(job_) && !leader_) journal_.set_committed();
  clean_up(job_, false);
  remove_leftovers(job_);  // Of workers that were killed.
  RunLock::erase(*journal_.store());
  leader_.reset();
  ended_ = true;
}

}  // namespace rechunk

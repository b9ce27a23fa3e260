// Puts the parts together: what is asked for -> a plan -> a run -> a target.
#include "rechunk/rechunk.h"

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include "base/machine.h"
#include "job/plan_file.h"
#include "job/planned_job.h"
#include "job/replacement.h"
#include "job/run_status.h"
#include "job/target_place.h"
#include "job/thread_run.h"
#include "job/worker.h"
#include "journal/journal.h"
#include "request/places.h"

namespace rechunk {
struct Job::State {
  explicit State(PlannedJob planned) : job(std::move(planned)) {}

  Worker& worker() {
    const std::lock_guard lock(mutex);
    save();
    if (!worker_) worker_.emplace(job);
    return *worker_;
  }
  void save() {
    if (job.text.empty()) write_plan_file(job);
  }

  PlannedJob job;
  Unfinished unfinished = Unfinished::kRefuse;
  std::mutex mutex;
  std::optional<Worker> worker_;
};

Job::Job(const std::string& source, const std::string& target,
         const Options& options, const Stores& stores) {
  if (!source.empty() && !target.empty()) check_apart(source, target);
  if (!target.empty()) check_zip_target(target);
  const std::string temp = target.empty() && options.temp.empty()
                               ? ""
                               : temp_place(options.temp, target);
  check_temp_apart(temp, source, target);
  state_ = std::make_unique<State>(
      plan_job({source, target, temp}, stores, options));
}

Job::Job(std::unique_ptr<State> state) : state_(std::move(state)) {}
Job::~Job() = default;
Job::Job(Job&&) noexcept = default;

const Plan& Job::plan() const { return state_->job.plan; }

bool Job::into_existing() const { return state_->job.existing.has_value(); }

std::vector<std::string> Job::parts() const {
  return describe_existing(state_->job);
}

void Job::check_target() const { rechunk::check_target(state_->job); }

const std::string& Job::save() const {
  const std::lock_guard lock(state_->mutex);
  state_->save();
  return state_->job.text;
}

Job Job::load(const std::string& plan_file, const Stores& stores) {
  auto state = std::make_unique<State>(read_plan_file(plan_file, stores));
  state->unfinished = Unfinished::kResume;
  return Job(std::move(state));
}

Job Job::unfinished(const std::string& target, int threads,
                    bool check_contents) {
  const auto plan = running_plan(*open_own_store(journal_place(target)));
  if (!plan)
    throw Error(ErrorKind::kNotFound, "opening the run of " + target +
                                          ": no unfinished run is there");
  Job job = load(*plan);
  if (!same_place(job.state_->job.places.target, target))
    throw Error(ErrorKind::kInvalidArgument,
                "opening the run of " + target + ": its journal is that of " +
                    job.state_->job.places.target,
                "a run goes on where it began: move the data back");
  if (threads > 0) use_threads(job.state_->job, threads);
  job.state_->job.check_contents = check_contents;
  job.state_->job.may_begin_anew = false;
  return job;
}

Report Job::run(Observer* observer, std::stop_token stop) {
  const auto begin = std::chrono::steady_clock::now();
  save();
  Report report =
      run_on_threads(state_->job, state_->unfinished, observer, stop);
  report.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  report.max_rss = max_rss();
  return report;
}

void Job::lead() { state_->worker().lead(state_->unfinished); }

bool Job::leave() noexcept {
  return state_->worker_ && state_->worker_->leave();
}

void Job::step_down() { state_->worker().step_down(); }

std::optional<std::string> Job::unfinished_plan() const {
  const PlannedJob& job = state_->job;
  if (!job.stores.journal) return std::nullopt;
  auto plan = running_plan(*job.stores.journal);
  return plan && does_the_same(*plan, job) ? std::move(plan) : std::nullopt;
}

void Job::fail() {
  const bool kept = leave();
  try {
    throw;
  } catch (const Error& error) {
    if (kept) throw with_resume_hint(error, state_->job);
    throw;
  }
}

void Job::prepare() { state_->worker().prepare(); }

StageReport Job::run_tasks(int array, int stage, std::int64_t first,
                           std::int64_t stop) {
  const Batch batch{array, stage, first, stop};
  return state_->worker().run_tasks({&batch, 1});
}

void Job::run_together(std::span<const Step> copies) {
  std::vector<Batch> batches;
  for (const Step& step : copies)
    batches.push_back({step.array, step.stage, step.first, step.stop});
  state_->worker().run_tasks(batches);
}

void Job::release(int array, int stage, std::int64_t first, std::int64_t stop) {
  state_->worker().release({array, stage, first, stop});
}

void Job::publish(int array, const std::string& key,
                  std::optional<std::span<const std::byte>> object) {
  state_->worker().publish(array, key, object);
}

Report Job::commit(bool by_journal) {
  return state_->worker().commit(by_journal);
}

bool Job::complete() const { return state_->worker().complete(); }

bool Job::committed() const { return state_->worker().committed(); }

Status Job::status() const {
  return read_status(*visible_target(state_->job), state_->job.stores.journal);
}

bool tidy_up(const std::string& target) {
  const auto store = open_own_store(journal_place(target));
  if (running_plan(*store)) return false;
  RunLock::refuse_if_busy(*store);
  Journal(store, "").erase();
  Journal(store, "").erase_committed();
  RunLock::erase(*store);
  for (const std::string& place : {target, journal_place(target)})
    remove_unfinished(place);
  return read_status(*open_store(target), store).state ==
         Status::State::kComplete;
}

Status status(const std::string& target) {
  return read_status(*open_store(target),
                     open_own_store(journal_place(target)));
}

void Job::discard() {
  const auto& journal = state_->job.stores.journal;
  if (journal) RunLock::refuse_if_busy(*journal);
  if (replaces(state_->job) && is_replaced(state_->job))
    throw Error(ErrorKind::kInvalidArgument,
                "discarding the run at " + state_->job.places.target +
                    ": its new target has already replaced the old one",
                action("resume", state_->job.places.target) +
                    " removes what is left of the old one");
  if (has_grown(state_->job))
    throw Error(ErrorKind::kInvalidArgument,
                "discarding the run at " + state_->job.places.target +
                    ": its data is all there, and arrays have grown",
                action("resume", state_->job.places.target) + " ends the run");
  clean_up(state_->job, true);
  if (journal) Journal(journal, "").erase_committed();
  if (journal) RunLock::erase(*journal);
  remove_leftovers(state_->job);
}

std::vector<std::string> Job::leftovers() const {
  return rechunk::leftovers(state_->job);
}

void Job::trim_memory() {
  const std::lock_guard lock(state_->mutex);
  if (state_->worker_) state_->worker_->trim_memory();
}

void Job::run_step(const Step& step) { run_step(step, step.first, step.stop); }

void Job::run_step(const Step& step, std::int64_t first, std::int64_t stop) {
  switch (step.kind) {
    case Step::Kind::kPrepare:
      return prepare();
    case Step::Kind::kCopy:
      run_tasks(step.array, step.stage, first, stop);
      return;
    case Step::Kind::kRelease:
      return release(step.array, step.stage, first, stop);
    case Step::Kind::kCommit:
      commit();
      return;
  }
}

}  // namespace rechunk

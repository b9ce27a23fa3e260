// Puts the parts together: what is asked for -> a plan -> a run -> a target.
#include "rechunk/rechunk.h"

#include <chrono>
#include <optional>
#include <utility>

#include "base/machine.h"
#include "job/job_state.h"
#include "job/plan_file.h"
#include "job/replacement.h"
#include "job/run_status.h"
#include "job/target_place.h"
#include "job/thread_run.h"
#include "journal/journal.h"
#include "journal/run_lock.h"
#include "request/own_places.h"
#include "store/place.h"

namespace rechunk {
Job::Job(const std::string& source, const std::string& target,
         const Options& options, const Stores& stores) {
  if (!source.empty() && !target.empty()) check_apart(source, target);
  if (!target.empty()) check_archives(target, options);
  const std::string temp = target.empty() && options.temp.empty()
                               ? ""
                               : temp_place(options.temp, target);
  check_temp_apart(temp, source, target);
  state_ = std::make_unique<JobState>(
      plan_job({source, target, temp}, stores, options), stores);
}

Job::Job(std::unique_ptr<JobState> state) : state_(std::move(state)) {}
Job::~Job() = default;
Job::Job(Job&&) noexcept = default;
Job& Job::operator=(Job&&) noexcept = default;

const Plan& Job::plan() const { return state_->job.plan; }

bool Job::into_existing() const { return state_->job.existing.has_value(); }

std::vector<std::string> Job::parts() const {
  return describe_existing(state_->job);
}

void Job::check_target() const { rechunk::check_target(state_->job); }

const std::string& Job::save() const {
  state_->save();
  return state_->job.text;
}

Job Job::load(const std::string& plan_file, const Stores& stores) {
  auto state =
      std::make_unique<JobState>(read_plan_file(plan_file, stores), stores);
  state->unfinished = Unfinished::kResume;
  return Job(std::move(state));
}

Job Job::unfinished(const std::string& target, int threads, bool check_contents,
                    const Storage& storage) {
  const auto plan = running_plan(
      *open_own_store(journal_place(target), storage.for_target(target)));
  if (!plan)
    throw Error(ErrorKind::kNotFound, "opening the run of " + target +
                                          ": no unfinished run is there");
  Job job = load(*plan, {.storage = storage});
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

bool Job::adopt_unfinished() {
  const PlannedJob& job = state_->job;
  state_->unfinished = Unfinished::kResume;
  if (!job.stores.journal) return false;
  const auto plan = running_plan(*job.stores.journal);
  if (!plan || !does_the_same(*plan, job)) return false;
  Stores stores = state_->given;
  stores.documents = nullptr;  // The plan file has them.
  *this = load(*plan, stores);
  return true;
}

Status Job::status() const {
  return read_status(*visible_target(state_->job), state_->job.stores.journal);
}

bool tidy_up(const std::string& target, const StorageOptions& storage) {
  const auto store = open_own_store(journal_place(target), storage);
  if (running_plan(*store)) return false;
  RunLock::refuse_if_busy(*store);
  Journal(store, "").erase();
  Journal(store, "").erase_committed();
  RunLock::erase(*store);
  const auto data = open_store(target, storage);
  data->remove_unfinished(Writers::kNobody);
  store->remove_unfinished(Writers::kNobody);
  return read_status(*data, store).state == Status::State::kComplete;
}

Status status(const std::string& target, const StorageOptions& storage) {
  return read_status(*open_store(target, storage),
                     open_own_store(journal_place(target), storage));
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
  if (journal && is_begun(*journal) && has_grown(state_->job))
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

}  // namespace rechunk

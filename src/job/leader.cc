#include "job/leader.h"

#include "job/replacement.h"
#include "job/resume_check.h"
#include "job/target_place.h"

namespace rechunk {
namespace {

bool is_unfinished(const PlannedJob& job) {
  return running_plan_hash(*job.stores.journal) == job.hash;
}

// Before the lock is taken: what is refused must leave nothing behind.
RunLock lock(const PlannedJob& job, Unfinished unfinished) {
  RunLock::refuse_if_busy(*job.stores.journal);
  if (unfinished == Unfinished::kRefuse || !is_unfinished(job))
    check_target(job);
  return RunLock::lead(job.stores.journal, job.hash);
}

}  // namespace

Journal::RunName begin_run(const PlannedJob& job, Journal& journal) {
  SourceCheck(job).look_at_all();  // Before a target is replaced by nothing.
  check_target(job);               // Again: a whole run may have come and gone.
  if (const auto other = running_plan(*journal.store()))
    erase_temp_of(*other, job.stores.storage.temp);
  if (!job.places.target.empty()) put_old_target_back(job.places.target);
  journal.erase();  // Also what a run left that ended while it cleaned up.
  journal.erase_committed();
  try {
    journal.begin(job.text);
    make_room(job);
    return journal.set_ready();
  } catch (const Error&) {
    try {
      if (target_explains_itself(job)) journal.erase();
    } catch (const Error&) {
      // The error that brought us here matters more.
    }
    throw;
  }
}

Leader::Leader(const PlannedJob& job, const JobRunner& runner,
               Unfinished unfinished)
    : job_(job),
      journal_(job.stores.journal, job.hash),
      lock_(lock(job, unfinished)) {
  if (unfinished == Unfinished::kRefuse || !is_unfinished(job)) {
    run_ = begin_run(job, journal_).run;
  } else if (exchange_has_begun(job)) {
    remove_leftovers(job);
    found_ = tally(job.plan, journal_.records(job.plan));
    resumed_ = true;
    return;
  } else if (!journal_.is_running()) {
    make_room(job);
    run_ = journal_.set_ready().run;
    resumed_ = true;
  } else if (go_on(runner)) {
    run_ = journal_.set_resumed().run;
    resumed_ = true;
    return;
  } else {
    run_ = begin_run(job, journal_).run;
  }
  found_ = tally(job.plan, {});
}

// False if the source's objects changed and the target is to be replaced
// anyway: what was done is of no use then.
bool Leader::go_on(const JobRunner& runner) {
  remove_leftovers(job_);
  try {
    found_ = tally(job_.plan, records_that_hold(job_, journal_, runner));
    return true;
  } catch (const Error& error) {
    if (!job_.options.overwrite || !job_.may_begin_anew ||
        error.kind() != ErrorKind::kInvalidArgument)
      throw;
  }
  check_documents(job_);  // The plan was made from them.
  return false;
}

void Leader::commit() {
  check();
  commit_metadata(job_, [this] { check(); });
  committed_ = true;
}

void Leader::finish() {
  clean_up(job_, false);
  journal_.erase_committed();
  RunLock::erase(*journal_.store());
}

bool Leader::leave() noexcept {
  if (committed_) return false;
  try {
    check();
    if (!journal_.records(job_.plan).empty()) return true;
    clean_up(job_, true);
  } catch (const Error&) {
    // Its store fails, or the run is another's.
    return true;
  }
  return false;
}

Error with_resume_hint(const Error& error, const PlannedJob& job) {
  const std::string kept =
      "finished work is kept: " + action("resume", job.places.target) +
      " continues";
  return error.with_hint(
      error.hint().empty() ? kept : error.marked_hint() + "; " + kept);
}

}  // namespace rechunk

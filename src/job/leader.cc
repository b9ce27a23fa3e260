#include "job/leader.h"

#include <utility>

#include "base/at_once.h"
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
  RunLock::Numbers seen;
  at_once(waits(job),
          {[&] { seen = RunLock::refuse_if_busy(*job.stores.journal); },
           [&] {
             if (unfinished == Unfinished::kRefuse || !is_unfinished(job))
               check_target(job);
           }});
  return RunLock::lead(job.stores.journal, job.hash, std::move(seen));
}

}  // namespace

// 1. Looks at all that must hold, with the lock: the source is there, before a
//    target is replaced by nothing; and the target, since a whole run may have
//    come and gone.
// 2. Removes what is left of another run, also of one that ended while it
//    cleaned up.
// 3. Makes room. What needs to know whose the data is finds the plan.
Journal::RunName begin_run(const PlannedJob& job, Journal& journal,
                           const SourceCheck& sources) {
  std::optional<std::string> other;
  bool is_empty = false;
  at_once(waits(job),
          {[&] { sources.look_at_all(); }, [&] { check_target(job); },
           [&] { other = running_plan(*journal.store()); },
           [&] { is_empty = journal.is_empty(); }});
  if (other) erase_temp_of(*other, job.stores.storage.temp);
  if (!job.places.target.empty()) put_old_target_back(job.places.target);
  if (!is_empty) {
    journal.erase();
    journal.erase_committed();
  }
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
    run_ = begin_run(job, journal_, runner.sources()).run;
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
    run_ = begin_run(job, journal_, runner.sources()).run;
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
  // This process leads: nobody asks these marks any more.
  at_once(waits(job_), {[&] { clean_up(job_, false); },
                        [&] { journal_.erase_committed(); }});
  lock_.end();
}

bool Leader::leave() noexcept {
  if (committed_) return false;
  try {
    check();
    // A store may have lost the plan: then nobody can go on. Nor is there
    // anything to do if another process has just ended the run.
    const bool can_go_on =
        is_begun(*journal_.store()) && !journal_.records(job_.plan).empty();
    if (can_go_on || is_committed(job_)) return true;
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

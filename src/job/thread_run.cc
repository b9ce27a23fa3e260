#include "job/thread_run.h"

#include <optional>
#include <utility>
#include <vector>

#include "exec/run_plan.h"
#include "job/replacement.h"
#include "job/source_files.h"
#include "job/target_place.h"
#include "job/verify_target.h"
#include "journal/recorder.h"
#include "rechunk/error.h"
#include "request/strict.h"

namespace rechunk {
namespace {

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested())
    throw Error(ErrorKind::kCancelled, "stopped on request");
}

// What was found done, and what this process did.
void add_found(const PlannedJob& job, const Tally& found,
               std::vector<std::optional<Digest>>& digests, Report& report) {
  for (std::size_t array = 0; array < digests.size(); ++array) {
    for (std::size_t stage = 0; stage < job.plan.arrays[array].stages.size();
         ++stage) {
      report.arrays[array].stages[stage] += found.stages[array][stage];
      report.arrays[array].found_tasks.push_back(
          found.done.count(static_cast<int>(array), static_cast<int>(stage)));
    }
    auto& digest = digests[array];
    if (!found.digests[array])
      digest.reset();
    else
      *digest += *found.digests[array];
  }
}

/// One run: its budget, its tasks and where they are told.
class ThreadRun {
 public:
  ThreadRun(const PlannedJob& job, JobRunner& runner, IdleThreads& idle,
            Pulse& pulse, Observer* observer, std::stop_token stop)
      : job_(job),
        runner_(runner),
        budget_(process_budget(job)),
        idle_(idle),
        pulse_(pulse),
        observer_(observer),
        stop_(std::move(stop)) {}

  /// Everything but the metadata. `leader` may be null.
  Report run(Leader* leader) {
    if (exchange_has_begun(job_)) return found_report(*leader);
    SourceFiles files(job_);
    const auto results =
        leader ? run_recorded(*leader) : run_tasks(runner_, {});
    Report report;
    std::vector<std::optional<Digest>> digests;
    for (const ArrayResult& result : results) {
      report.arrays.push_back({result.stages, "", {}});
      digests.emplace_back(result.digest);
    }
    if (leader && leader->resumed())
      add_found(job_, leader->found(), digests, report);
    if (job_.options.verify)
      verify_target(job_, digests, {budget_, job_.plan.threads, stop_}, report);
    files.copy(budget_, report);
    note_replacement(job_, report.notes);
    refuse_notes(job_.options, report.notes);
    throw_if_stopped(stop_);
    return report;
  }

 private:
  // Of a run that was stopped when all was done but to put it in its place.
  Report found_report(const Leader& leader) const {
    Report report;
    std::vector<std::optional<Digest>> digests(job_.plan.arrays.size());
    for (const StagedCopySpec& array : job_.plan.arrays)
      report.arrays.push_back(
          {std::vector<StageReport>(array.stages.size()), "", {}});
    add_found(job_, leader.found(), digests, report);
    return report;
  }

  std::vector<ArrayResult> run_tasks(TaskRunner& runner,
                                     const DoneTasks* done) {
    return run_plan(
        job_.plan, runner, budget_,
        {job_.options.keep_temp, observer_, stop_, done, &idle_, &pulse_});
  }

  std::vector<ArrayResult> run_recorded(Leader& leader) {
    Recorder recorder(runner_, leader.journal(), leader.run(), [&] {
      leader.check();
      make_durable(job_);
    });
    try {
      auto results = run_tasks(recorder, &leader.found().done);
      recorder.flush();
      return results;
    } catch (...) {
      // Tasks that are done need not be lost with the one that failed. The
      // error that brought us here matters more than one of the journal.
      try {
        recorder.flush();
      } catch (const Error&) {
      }
      throw;
    }
  }

  const PlannedJob& job_;
  JobRunner& runner_;
  MemoryBudget budget_;
  IdleThreads& idle_;
  Pulse& pulse_;
  Observer* const observer_;
  const std::stop_token stop_;
};

Report run_alone(const PlannedJob& job, ThreadRun& run) {
  SourceCheck(job).look_at_all();
  check_target(job);
  make_room(job);
  try {
    Report report = run.run(nullptr);
    commit_metadata(job, [] {});  // Nobody else is here.
    clean_up(job, false);
    return report;
  } catch (...) {
    clean_up(job, true);
    throw;
  }
}

}  // namespace

// 1. The leader takes the lock. It begins the run, or finds out what of an
//    earlier one still holds (leader.cc).
// 2. The tasks run on threads (exec/run_plan.cc). A recorder journals what they
//    did, some times a second (journal/recorder.h).
// 3. What was found done is added to the report. The target is verified, files
//    that are no Zarr are copied, and notes become errors where asked for.
// 4. The leader writes the metadata: the target is visible from here on.
// 5. Temporary data and the journal are removed. What cannot be removed is told
//    by `Job::leftovers`, since the target is complete.
// If 2 or 3 fails, the leader keeps what is done. A run without a journal has
// no leader, and keeps nothing.
Report run_on_threads(const PlannedJob& job, Unfinished unfinished,
                      Observer* observer, std::stop_token stop) {
  IdleThreads idle;
  Pulse pulse(stop);
  JobRunner runner(job, &idle, &pulse);
  ThreadRun run(job, runner, idle, pulse, observer, std::move(stop));
  if (!job.stores.journal) return run_alone(job, run);
  Leader leader(job, runner, unfinished);
  try {
    Report report = run.run(&leader);
    leader.commit();
    leader.finish();
    return report;
  } catch (const Error& error) {
    if (leader.leave()) throw with_resume_hint(error, job);
    throw;
  } catch (...) {
    leader.leave();
    throw;
  }
}

}  // namespace rechunk

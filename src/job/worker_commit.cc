// The end of a run, as a worker comes to it.
#include "base/machine.h"
#include "job/replacement.h"
#include "job/source_files.h"
#include "job/target_place.h"
#include "job/verify_target.h"
#include "job/worker.h"
#include "journal/run_lock.h"
#include "rechunk/error.h"
#include "rechunk/report.h"
#include "rechunk/wording.h"
#include "request/strict.h"

namespace rechunk {
namespace {

// The fewest tasks that wrote objects of a target; null if none did.
const BatchRecord* smallest_batch(const Plan& plan,
                                  const std::vector<Journal::Record>& records) {
  const BatchRecord* smallest = nullptr;
  for (const Journal::Record& record : records)
    for (const BatchRecord& one : record.batches)
      if (std::cmp_equal(one.tasks.stage + 1,
                         plan.arrays[one.tasks.array].stages.size()) &&
          one.result.report.written.objects > 0 &&
          (!smallest || one.tasks.count() < smallest->tasks.count()))
        smallest = &one;
  return smallest;
}

}  // namespace

Report Worker::commit(bool by_journal) {
  Report report;
  if (is_over()) return report;
  const auto records = journal_.records(job_.plan);
  Tally done = tally(job_.plan, records);
  const std::string missing = done.missing(job_.plan);
  if (by_journal && !missing.empty()) {
    if (committed()) return report;  // By another process, just now.
    throw Error(ErrorKind::kInvalidArgument,
                "committing " + job_.stores.target->describe("") +
                    ": not all tasks are done, the first is " + missing);
  }
  const bool exchanging = exchange_has_begun(job_);
  if (by_journal && !exchanging && chunks_are_gone(records))
    throw Error(ErrorKind::kCorrupt,
                "committing " + job_.stores.target->describe("") +
                    ": its chunks were removed since they were written",
                "remove " + journal_.store()->describe("") +
                    ", too, and run all tasks again");
  // Tasks look themselves.
  if (!by_journal) SourceCheck(job_).look_at_all();
  if (!by_journal) done.digests.assign(done.digests.size(), std::nullopt);
  for (const auto& stages : done.stages)
    report.arrays.push_back({stages, "", {}});
  add_found(report);
  if (exchanging) {
    finish(report);
    return report;
  }
  arenas_.drop_idle();
  MemoryBudget budget = process_budget(job_);
  if (job_.options.verify)
    verify_target(job_, done.digests, {budget, job_.plan.threads, {}}, report);
  SourceFiles(job_).copy(budget, report);
  note_replacement(job_, report.notes);
  refuse_notes(job_.options, report.notes);
  report.max_rss = max_rss();
  finish(report);
  return report;
}

// To look for every object would take as long as the target is large. One batch
// tells whether somebody has removed the target while the run went on.
bool Worker::chunks_are_gone(
    const std::vector<Journal::Record>& records) const {
  const BatchRecord* const written = smallest_batch(job_.plan, records);
  if (!written) return false;
  const TaskRange& batch = written->tasks;
  ObjectSums now;
  for (std::int64_t task = batch.first; task < batch.stop; ++task)
    now += runner_.targets_of(batch.array, task, {});
  return now.objects == 0;
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

void Worker::finish(const Report& report) {
  const std::lock_guard lock(mutex_);
  const auto owner = owner_of(*journal_.store());
  if (leader_)
    leader_->commit();
  else
    commit_metadata(job_, nullptr);
  // Who leads a run knows when it has ended; others may come late.
  if (journal_tells_the_end(job_) && !leader_) journal_.set_committed();
  clean_up(job_, false);
  // Only a process that was killed leaves half-written files. To look for them
  // is to walk the target, which may have millions of objects.
  if ((leader_ && leader_->resumed()) || !nobody_died(*journal_.store()))
    remove_leftovers(job_, leader_ ? Writers::kNobody : Writers::kOthers);
  RunLock::erase(*journal_.store());
  // Engines may not hand on what a commit returns. Its leader is waiting, and
  // spells options in its own way.
  if (leader_)
    report_ = to_json(job_.plan, report, with_marks);
  else if (owner && !owner->team)
    journal_.set_report(to_json(job_.plan, report, with_marks));
  leader_.reset();
  ended_ = true;
}

}  // namespace rechunk

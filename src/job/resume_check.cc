#include "job/resume_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "plan/task_grid.h"

namespace rechunk {
namespace {

/// Looks at the components of one array.
class ArrayCheck {
 public:
  ArrayCheck(const Plan& plan, int array, const DoneTasks& done,
             const JobRunner& runner)
      : array_(array), done_(done), runner_(runner) {
    const StagedCopySpec& spec = plan.arrays[array];
    for (const CopySpec& stage : spec.stages)
      grids_.emplace_back(spec.shape, spec.component, stage.chunks);
  }

  void look() {
    if (grids_.size() < 2) return;
    for (std::int64_t at = 0; at < grids_[0].component_count(); ++at)
      look_at(at);
  }

  std::vector<Batch> lost;         ///< Their intermediates are gone.
  std::vector<Batch> superfluous;  ///< Not done, and not needed any more.

 private:
  DoneTasks::Range tasks_of(int stage, std::int64_t component) const {
    return {grids_[stage].first_task(component),
            grids_[stage].first_task(component + 1)};
  }

  // From the last stage back: a stage is needed while one after it is not done.
  void look_at(std::int64_t component) {
    const int last = static_cast<int>(grids_.size()) - 1;
    bool needed =
        !done_.undone(array_, last, tasks_of(last, component)).empty();
    for (int stage = last - 1; stage >= 0; --stage) {
      const auto tasks = tasks_of(stage, component);
      const auto gaps = done_.undone(array_, stage, tasks);
      if (!needed) {
        for (const auto& [first, stop] : gaps)
          superfluous.push_back({array_, stage, first, stop});
        continue;
      }
      needed = look_for_intermediates(stage, tasks) || !gaps.empty();
    }
  }

  // True if some of those that should be there are gone.
  bool look_for_intermediates(int stage, DoneTasks::Range tasks) {
    bool gone = false;
    for (std::int64_t task = tasks.first; task < tasks.second; ++task) {
      if (done_.next_undone(array_, stage, task) == task ||
          runner_.has_intermediate(array_, stage, task))
        continue;
      lost.push_back({array_, stage, task, task + 1});
      gone = true;
    }
    return gone;
  }

  const int array_;
  const DoneTasks& done_;
  const JobRunner& runner_;
  std::vector<TaskGrid> grids_;
};

bool overlap(const Batch& a, const Batch& b) {
  return a.array == b.array && a.stage == b.stage && a.first < b.stop &&
         b.first < a.stop;
}

// Takes batches out of the journal that hold any of the lost tasks.
void drop(const std::vector<Batch>& lost, Journal& journal,
          std::vector<Journal::Record>& records) {
  for (Journal::Record& record : records) {
    std::vector<BatchRecord> kept;
    for (const BatchRecord& batch : record.batches)
      if (std::none_of(lost.begin(), lost.end(), [&](const Batch& task) {
            return overlap(task, batch.batch);
          }))
        kept.push_back(batch);
    if (kept.size() == record.batches.size()) continue;
    journal.replace(record, kept);
    record.batches = std::move(kept);
    if (!record.batches.empty())
      record.key = Journal::key_of(record.batches[0].batch);
  }
  std::erase_if(records,
                [](const auto& record) { return record.batches.empty(); });
}

}  // namespace

std::vector<Journal::Record> records_that_hold(const PlannedJob& job,
                                               Journal& journal,
                                               const JobRunner& runner) {
  std::vector<std::string> dropped;
  auto records = journal.records(job.plan, &dropped);
  for (const std::string& key : dropped) journal.store()->erase(key);
  for (;;) {
    const DoneTasks done = tally(job.plan, records).done;
    std::vector<Batch> lost;
    std::vector<BatchRecord> superfluous;
    for (int array = 0; array < static_cast<int>(job.plan.arrays.size());
         ++array) {
      ArrayCheck check(job.plan, array, done, runner);
      check.look();
      lost.insert(lost.end(), check.lost.begin(), check.lost.end());
      for (const Batch& batch : check.superfluous)
        superfluous.push_back({batch, {}, false});
    }
    if (!lost.empty()) {
      drop(lost, journal, records);
      continue;
    }
    if (!superfluous.empty()) {
      journal.record(superfluous);
      records.push_back(
          {Journal::key_of(superfluous[0].batch), std::move(superfluous)});
    }
    return records;
  }
}

}  // namespace rechunk

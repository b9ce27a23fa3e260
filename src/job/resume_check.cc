#include "job/resume_check.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "exec/run_plan.h"
#include "job/choose_parts.h"
#include "job/target_place.h"
#include "plan/task_grid.h"
#include "rechunk/error.h"

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

  std::vector<TaskRange> lost;         ///< Their intermediates are gone.
  std::vector<TaskRange> superfluous;  ///< Not done, and not needed any more.

 private:
  TaskRange tasks_of(int stage, std::int64_t component) const {
    return {array_, stage, grids_[stage].first_task(component),
            grids_[stage].first_task(component + 1)};
  }

  // From the last stage back: a stage is needed while one after it is not done.
  void look_at(std::int64_t component) {
    const int last = static_cast<int>(grids_.size()) - 1;
    bool needed = !done_.undone(tasks_of(last, component)).empty();
    for (int stage = last - 1; stage >= 0; --stage) {
      const TaskRange tasks = tasks_of(stage, component);
      const auto gaps = done_.undone(tasks);
      if (needed)
        needed = look_for_intermediates(tasks) || !gaps.empty();
      else
        superfluous.insert(superfluous.end(), gaps.begin(), gaps.end());
    }
  }

  // True if some of those that should be there are gone.
  bool look_for_intermediates(const TaskRange& tasks) {
    const int stage = tasks.stage;
    bool gone = false;
    for (std::int64_t task = tasks.first; task < tasks.stop; ++task) {
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

// Takes batches out of the journal that hold any of the lost tasks.
void drop(const std::vector<TaskRange>& lost, Journal& journal,
          const std::string& run, std::vector<Journal::Record>& records) {
  for (Journal::Record& record : records) {
    std::vector<BatchRecord> kept;
    for (const BatchRecord& batch : record.batches)
      if (std::none_of(lost.begin(), lost.end(), [&](const TaskRange& tasks) {
            return overlap(tasks, batch.tasks);
          }))
        kept.push_back(batch);
    if (kept.size() == record.batches.size()) continue;
    journal.replace(run, record, kept);
    record.batches = std::move(kept);
    if (!record.batches.empty()) record.key = Journal::key_of(record.batches);
  }
  std::erase_if(records,
                [](const auto& record) { return record.batches.empty(); });
}

constexpr std::int64_t kReadBytes = 1 << 20;

std::string place_of(const PlannedJob& job) {
  return "resuming " + visible_target(job)->describe("");
}

[[noreturn]] void throw_changed(const PlannedJob& job,
                                const std::string& object) {
  throw Error(ErrorKind::kInvalidArgument,
              place_of(job) + ": " + object + " changed since it was read",
              "put it back, or begin anew: " + action("run") + " with " +
                  option_on("overwrite"));
}

// The object of a batch that changed last is the one that is to be named.
std::string newest_source(const JobRunner& runner, const TaskRange& batch,
                          const Store& source) {
  std::string newest = "the source", missing;
  std::int64_t version = 0;
  for (std::int64_t task = batch.first; task < batch.stop; ++task)
    runner.visit_sources(batch.array, task, [&](const ReadRequest& request) {
      if (!request.found) missing = source.describe(request.key);
      if (request.version <= version) return;
      version = request.version;
      newest = source.describe(request.key);
    });
  return missing.empty() ? newest
                         : newest + " (or " + missing + ", which is not there)";
}

/// Compares objects with what records say of them.
class ObjectCheck {
 public:
  ObjectCheck(const PlannedJob& job, const JobRunner& runner)
      : job_(job), runner_(runner), budget_(process_budget(job)) {}

  /// The batches whose objects are not as they were written.
  std::vector<TaskRange> look(const std::vector<Journal::Record>& records) {
    std::vector<const BatchRecord*> batches;
    for (const Journal::Record& record : records)
      for (const BatchRecord& batch : record.batches)
        if (batch.known) batches.push_back(&batch);
    const std::int64_t most = std::min<std::int64_t>(
        kReadBytes,
        std::max<std::int64_t>(1, budget_.limit() / job_.plan.threads));
    run_indexed(static_cast<std::int64_t>(batches.size()), job_.plan.threads,
                most, budget_, {}, [&](std::int64_t index, Arena& arena) {
                  look_at(*batches[static_cast<std::size_t>(index)], arena);
                });
    return std::move(lost_);
  }

 private:
  void look_at(const BatchRecord& record, Arena& arena) {
    const TaskRange& tasks = record.tasks;
    const auto& stages = job_.plan.arrays[tasks.array].stages;
    if (tasks.stage == 0 && !same_sources(record))
      throw_changed(job_, newest_source(runner_, tasks, *job_.stores.source));
    if (tasks.stage + 1 < static_cast<int>(stages.size()) ||
        same_targets(record, arena))
      return;
    const std::lock_guard lock(mutex_);
    lost_.push_back(tasks);
  }

  bool same_sources(const BatchRecord& record) const {
    ObjectSums now;
    for (std::int64_t task = record.tasks.first; task < record.tasks.stop;
         ++task)
      now += runner_.sources_of(record.tasks.array, task);
    return now == record.result.report.read;
  }

  bool same_targets(const BatchRecord& record, Arena& arena) const {
    const ArenaScope scope(arena);
    const auto buffer = job_.check_contents ? arena.take(arena.capacity())
                                            : std::span<std::byte>();
    ObjectSums now, then = record.result.report.written;
    for (std::int64_t task = record.tasks.first; task < record.tasks.stop;
         ++task)
      now += runner_.targets_of(record.tasks.array, task, buffer);
    if (buffer.empty()) then.contents = 0;
    return now == then;
  }

  const PlannedJob& job_;
  const JobRunner& runner_;
  MemoryBudget budget_;
  std::mutex mutex_;
  std::vector<TaskRange> lost_;
};

}  // namespace

void check_documents(const PlannedJob& job) {
  if (!job.source_has_documents) return;
  const auto then = make_memory_store(), now = make_memory_store();
  write_hierarchy(*then, job.source);
  write_hierarchy(*now,
                  part_of_source(job, read_hierarchy(*job.stores.source)));
  const auto compare = [&](const Store& one, const Store& other) {
    one.list("", [&](std::string_view key, std::int64_t) {
      if (read_text(one, key) != read_text(other, key))
        throw_changed(job, job.stores.source->describe(key));
    });
  };
  compare(*then, *now);
  compare(*now, *then);
}

std::vector<Journal::Record> records_that_hold(const PlannedJob& job,
                                               Journal& journal,
                                               const JobRunner& runner) {
  const std::string run = journal.run().value_or(Journal::RunName{}).run;
  std::vector<Journal::Record> records;
  for (const std::string& key : journal.record_keys()) {
    if (auto record = journal.read(job.plan, run, key))
      records.push_back(*std::move(record));
    else
      journal.store()->erase(key);
  }
  check_documents(job);
  if (job.existing) check_existing(job, true);
  drop(ObjectCheck(job, runner).look(records), journal, run, records);
  for (;;) {
    const DoneTasks done = tally(job.plan, records).done;
    std::vector<TaskRange> lost;
    std::vector<BatchRecord> superfluous;
    for (int array = 0; array < static_cast<int>(job.plan.arrays.size());
         ++array) {
      ArrayCheck check(job.plan, array, done, runner);
      check.look();
      lost.insert(lost.end(), check.lost.begin(), check.lost.end());
      for (const TaskRange& tasks : check.superfluous)
        superfluous.push_back({tasks, {}, false});
    }
    if (!lost.empty()) {
      drop(lost, journal, run, records);
      continue;
    }
    if (!superfluous.empty()) {
      journal.record(run, superfluous);
      records.push_back({Journal::key_of(superfluous), std::move(superfluous)});
    }
    return records;
  }
}

void forget_array(const PlannedJob& job, int array) noexcept {
  if (!job.stores.journal) return;
  try {
    Journal journal(job.stores.journal, job.hash);
    auto records = journal.records(job.plan);
    std::vector<TaskRange> wrong;
    const auto& stages = job.plan.arrays[array].stages;
    for (int stage = 0; stage < static_cast<int>(stages.size()); ++stage)
      wrong.push_back({array, stage, 0, stages[stage].tasks});
    drop(wrong, journal, journal.run().value_or(Journal::RunName{}).run,
         records);
  } catch (const std::exception&) {
    // What was found to be wrong matters more.
  }
}

}  // namespace rechunk

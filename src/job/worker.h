// Runs tasks of a job, together with other processes. Part: worker_commit.cc
// (how the run ends).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/arena_pool.h"
#include "base/memory_budget.h"
#include "exec/run_plan.h"
#include "job/attendance.h"
#include "job/job_runner.h"
#include "job/known_records.h"
#include "job/leader.h"
#include "job/planned_job.h"
#include "journal/journal.h"
#include "rechunk/report.h"

namespace rechunk {

/// The part of one process in a run. All methods may be called by any thread.
class Worker {
 public:
  /// `job` must outlive the worker. Throws: internal if it has no journal.
  explicit Worker(const PlannedJob& job);

  /// Leads the run, until it is committed or left.
  void lead(Unfinished unfinished);
  /// As Leader::leave. Does nothing if this process does not lead.
  bool leave() noexcept;
  /// Stops leading. If any process has begun to work, keeps everything, because
  /// others may still be working; else leaves.
  std::optional<std::string> step_down();
  void prepare();
  /// Runs batches that do not depend on each other, with one record for all.
  /// Tasks that the journal has are skipped. The report is the sum.
  StageReport run_tasks(std::span<const TaskRange> batches);
  void release(const TaskRange& batch);
  /// As Job::publish.
  void publish(int array, const std::string& key,
               std::optional<std::span<const std::byte>> object);
  Report commit(bool by_journal);
  bool complete() const;
  bool committed() const;
  void trim_memory() { arenas_.drop_idle(); }

 private:
  bool join();
  TaskResult run_all(const TaskRange& batch, Arena& arena);
  StageReport run_undone(const Journal::RunName& run,
                         std::span<const TaskRange> batches);
  std::vector<BatchRecord> run_recorded(const std::string& run,
                                        const std::vector<TaskRange>& batches);
  std::vector<TaskRange> undone(const Journal::RunName& run,
                                std::span<const TaskRange> batches);
  bool is_done_by_others(const Journal::RunName& run,
                         std::span<const TaskRange> batches) noexcept;
  void look_behind() noexcept;
  void check_array(int array) const;
  void check_batch(const TaskRange& batch) const;
  bool is_over() const;
  bool chunks_are_gone(const std::vector<Journal::Record>& records) const;
  void add_found(Report& report);
  void finish(const Report& report);

  const PlannedJob& job_;
  Journal journal_;
  JobRunner runner_;
  const ArenaSizes arena_sizes_;
  MemoryBudget budget_;
  ArenaPool arenas_;
  std::mutex mutex_;  ///< Of what follows.
  std::optional<Leader> leader_;
  std::atomic<bool> ended_ = false;    ///< By this process, since it last led.
  std::optional<std::string> report_;  ///< Of a commit while it led.
  std::optional<KnownRecords> known_;
  Attendance attendance_;  ///< Last: its thread uses all of the above.
};

}  // namespace rechunk

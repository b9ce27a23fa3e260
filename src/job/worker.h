// Runs tasks of a job that other processes take part in.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "base/memory_budget.h"
#include "job/job_runner.h"
#include "job/journal.h"
#include "job/planned_job.h"

namespace rechunk {

/// Arenas of one size, lent to one caller each and kept between calls.
class ArenaPool {
 public:
  ArenaPool(std::int64_t arena_bytes, int count)
      : arena_bytes_(arena_bytes),
        count_(count),
        budget_(arena_bytes * count) {}

  /// Unmaps the arenas that nobody holds.
  void drop_idle();

  /// Waits for an arena; calls `action(arena)`.
  template <class Action>
  void lend(Action&& action) {
    Arena arena = take();
    try {
      action(arena);
    } catch (...) {
      put_back(std::move(arena));
      throw;
    }
    put_back(std::move(arena));
  }

 private:
  Arena take();
  void put_back(Arena arena);

  const std::int64_t arena_bytes_;
  const int count_;
  std::mutex mutex_;
  std::condition_variable returned_;
  MemoryBudget budget_;
  std::vector<Arena> idle_;
  int made_ = 0;
};

/// The part of one process in a run. All methods may be called by any thread.
class Worker {
 public:
  /// `job` must outlive the worker. Throws: internal if it has no journal.
  explicit Worker(const PlannedJob& job);

  void prepare();
  StageReport run_tasks(const Journal::Batch& batch);
  void release(const Journal::Batch& batch);
  Report commit(bool by_journal);
  bool complete() const;
  bool committed() const;

 private:
  bool begun_elsewhere() const;
  bool is_running() const;
  TaskResult run_all(const Journal::Batch& batch);
  void check_batch(const Journal::Batch& batch) const;
  bool is_over() const;

  const PlannedJob& job_;
  Journal journal_;
  JobRunner runner_;
  ArenaPool arenas_;
};

}  // namespace rechunk

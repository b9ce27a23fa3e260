// Runs a plan on threads.
#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "base/digest.h"
#include "base/idle_threads.h"
#include "base/memory_budget.h"
#include "exec/done_tasks.h"
#include "exec/pulse.h"
#include "exec/task_runner.h"
#include "rechunk/observer.h"
#include "rechunk/plan.h"

namespace rechunk {

/// The result of a run for one array.
struct ArrayResult {
  std::vector<StageReport> stages;
  Digest digest;
};

struct RunOptions {
  bool keep_temp = false;
  Observer* observer = nullptr;  ///< May be null.
  std::stop_token stop;
  const DoneTasks* done = nullptr;  ///< Are not run again; may be null.
  IdleThreads* idle = nullptr;      ///< That tasks may share; may be null.
  Pulse* pulse = nullptr;           ///< Of the tasks; may be null.
};

/// The sizes of the tasks' arenas. Stages share one size if every thread can
/// run one of their tasks. Other stages have their own.
class ArenaSizes {
 public:
  explicit ArenaSizes(const Plan& plan);
  std::int64_t of(int array, int stage) const;

 private:
  const Plan& plan_;
  std::int64_t shared_ = 0;
};

/// Runs all tasks on `plan.threads` threads; the caller's is one of them.
/// Arenas come from `budget`: a thread waits if there is no room for its task.
/// The first error stops all threads and is thrown when they have stopped.
/// Throws: what tasks throw, cancelled (after a stop request).
std::vector<ArrayResult> run_plan(const Plan& plan, TaskRunner& runner,
                                  MemoryBudget& budget,
                                  const RunOptions& options);

/// Runs `task(index, arena)` for each index below `count` on threads that share
/// the work, each with an arena of `arena_bytes`. Errors and stop requests as
/// in run_plan.
void run_indexed(std::int64_t count, int threads, std::int64_t arena_bytes,
                 MemoryBudget& budget, std::stop_token stop,
                 const std::function<void(std::int64_t, Arena&)>& task);

}  // namespace rechunk

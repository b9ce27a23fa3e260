// The seam between the loop that runs tasks and what a task does.
#pragma once

#include <cstdint>

#include "base/digest.h"
#include "base/memory_budget.h"
#include "rechunk/observer.h"
#include "rechunk/plan.h"

namespace rechunk {

/// What one task did.
struct TaskResult {
  StageReport report;
  Digest digest;  ///< Of what the first stage read, where asked for.
};

/// Runs the tasks of a plan. Tasks are named by integers. All methods may be
/// called from any thread, each call with its own arena. A task may run twice
/// without harm.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;

  /// Throws: corrupt, io.
  virtual TaskResult run(int array, int stage, std::int64_t task,
                         Arena& arena) = 0;

  /// Removes the objects that tasks of a stage wrote into an intermediate.
  virtual void release(const TaskRange& tasks) = 0;
};

}  // namespace rechunk

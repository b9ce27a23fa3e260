// What a Job holds. For src/rechunk.cc (Job) and src/run.cc (Run).
#pragma once

#include <mutex>
#include <utility>

#include "job/leader.h"
#include "job/plan_file.h"
#include "job/planned_job.h"
#include "rechunk/options.h"

namespace rechunk {

struct JobState {
  JobState(PlannedJob planned, const Stores& stores)
      : job(std::move(planned)), given(stores) {}

  /// Writes the plan file once: only runs and other processes need it.
  void save() {
    const std::lock_guard lock(mutex);
    if (job.text.empty()) write_plan_file(job);
  }

  PlannedJob job;
  const Stores given;  ///< By the caller, without those opened by URL.
  Unfinished unfinished = Unfinished::kRefuse;
  std::mutex mutex;  ///< While the plan file is written.
};

}  // namespace rechunk

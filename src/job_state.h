// What a Job holds. Parts: rechunk.cc (Job), run.cc (Run).
#pragma once

#include <mutex>
#include <utility>

#include "job/leader.h"
#include "job/plan_file.h"
#include "job/planned_job.h"
#include "rechunk/rechunk.h"

namespace rechunk {

struct Job::State {
  State(PlannedJob planned, const Stores& stores)
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

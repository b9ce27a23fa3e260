#include "job/weigh_plan.h"

#include "job/plan_file.h"
#include "journal/journal.h"
#include "measure/calibrate.h"
#include "request/media.h"

namespace rechunk {
namespace {

// Measuring takes up to some seconds.
constexpr double kWorthMeasuringSeconds = 10;

// The same work was begun before.
bool goes_on(const PlannedJob& job) {
  if (!job.stores.journal) return false;
  const auto plan = running_plan(*job.stores.journal);
  return plan && does_the_same(*plan, job);
}

bool is_measured(const PlannedJob& job) {
  return job.options.calibrate.value_or(job.plan.predicted_seconds >
                                        kWorthMeasuringSeconds) &&
         !goes_on(job);
}

void calibrate(const PlannedJob& job, std::vector<ArrayProblem>& problems) {
  MemoryBudget budget = process_budget(job);
  Calibration calibration{.source_store = job.stores.source,
                          .source = job.source,
                          .target = job.target,
                          .left_out = {},
                          .source_place = job.places.source,
                          .target_place = job.places.target,
                          .temp_place = job.places.temp,
                          .budget = budget,
                          .threads = job.options.threads};
  for (const auto& [path, source] : job.stores.array_sources)
    calibration.left_out.push_back(path);
  rechunk::calibrate(calibration, problems);
}

}  // namespace

void weigh_plan(PlannedJob& job, std::vector<ArrayProblem>& problems) {
  const PlanOptions at_hand{job.options.max_memory, job.options.threads};
  job.plan = make_plan(problems, at_hand);
  if (!is_measured(job)) return;
  calibrate(job, problems);
  add_page_cache(page_cache_bytes(job), problems);
  job.plan = make_plan(problems, at_hand);
}

}  // namespace rechunk

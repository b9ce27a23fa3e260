#include "executors/run_meter.h"

namespace rechunk {
namespace {

Progress work_of(const Plan& plan) {
  Progress total;
  for (const StagedCopySpec& array : plan.arrays) {
    for (const CopySpec& stage : array.stages) {
      total.tasks_total += stage.tasks;
      total.bytes_total += stage.bytes_decoded + stage.bytes_encoded;
    }
  }
  return total;
}

}  // namespace

RunMeter::RunMeter(const Plan& plan, Observer* observer)
    : meter_(work_of(plan), observer) {}

void RunMeter::add(const Step& batch, const StageReport& report) {
  if (batch.kind != Step::Kind::kCopy) return;
  std::int64_t bytes = 0;
  for (const Counts* counts : {&report.counted, &report.skipped})
    bytes += counts->bytes_decoded + counts->bytes_encoded;
  add(batch.stop - batch.first, bytes);
}

void RunMeter::add(std::int64_t tasks, std::int64_t bytes) {
  meter_.add(tasks, bytes);
  meter_.tell();
}

Report RunMeter::finish(Report report) const {
  report.seconds = meter_.seconds();
  return report;
}

}  // namespace rechunk

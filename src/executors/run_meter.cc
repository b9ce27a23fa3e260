#include "executors/run_meter.h"

namespace rechunk {

RunMeter::RunMeter(const Plan& plan, Observer* observer)
    : meter_(work_of(plan), observer) {}

void RunMeter::add(const Step& batch, const StageReport& report) {
  if (batch.kind == Step::Kind::kCopy) add(batch.tasks.count(), report.bytes());
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

#include "executors/meter.h"

#include <utility>

namespace rechunk {
namespace {

constexpr double kIntervalSeconds = 0.1;

}  // namespace

Meter::Meter(const Plan& plan, Observer* observer)
    : observer_(observer), begin_(std::chrono::steady_clock::now()) {
  for (const StagedCopySpec& array : plan.arrays) {
    for (const CopySpec& stage : array.stages) {
      progress_.tasks_total += stage.tasks;
      progress_.bytes_total += stage.bytes_decoded + stage.bytes_encoded;
    }
  }
}

void Meter::add(const Step& batch, const StageReport& report) {
  if (batch.kind != Step::Kind::kCopy) return;
  std::int64_t bytes = 0;
  for (const Counts* counts : {&report.counted, &report.skipped})
    bytes += counts->bytes_decoded + counts->bytes_encoded;
  add(batch.stop - batch.first, bytes);
}

void Meter::add(std::int64_t tasks, std::int64_t bytes) {
  progress_.tasks_done += tasks;
  progress_.bytes_done += bytes;
  progress_.seconds = seconds();
  const bool last = progress_.tasks_done == progress_.tasks_total;
  if (!observer_) return;
  if (progress_.seconds - last_told_ < kIntervalSeconds && !last) return;
  last_told_ = progress_.seconds;
  observer_->on_progress(progress_);
}

Report Meter::finish(Report report) const {
  report.seconds = seconds();
  return report;
}

double Meter::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                       begin_)
      .count();
}

}  // namespace rechunk

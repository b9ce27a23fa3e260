#include "rechunk/meter.h"

#include <algorithm>

namespace rechunk {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);

}  // namespace

Meter::Meter(const Progress& total, Observer* observer)
    : observer_(observer), progress_(total) {}

void Meter::add(std::int64_t tasks, std::int64_t bytes) {
  progress_.tasks_done += tasks;
  progress_.bytes_done += bytes;
}

void Meter::tell(std::int64_t bytes_in_progress) {
  const auto now = Clock::now();
  const bool last = progress_.tasks_total > 0 &&
                    progress_.tasks_done == progress_.tasks_total;
  if (!observer_ || (now - last_told_ < kInterval && !last)) return;
  last_told_ = now;
  Progress told = progress_;
  // A task's bytes in progress are taken back a moment before its report counts
  // them. What is shown must not fall.
  told.bytes_done =
      std::clamp(progress_.bytes_done + bytes_in_progress, bytes_told_,
                 std::max(bytes_told_, progress_.bytes_total));
  bytes_told_ = told.bytes_done;
  told.seconds = seconds();
  observer_->on_progress(told);
}

double Meter::seconds() const {
  return std::chrono::duration<double>(Clock::now() - begin_).count();
}

}  // namespace rechunk

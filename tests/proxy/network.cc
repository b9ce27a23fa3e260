#include "network.h"

#include <algorithm>
#include <thread>

void Link::pass(std::size_t bytes) {
  const double rate = rate_;
  if (rate <= 0) return;
  using Clock = std::chrono::steady_clock;
  const std::chrono::duration<double> takes(static_cast<double>(bytes) / rate);
  Clock::time_point passed;
  {
    const std::lock_guard lock(mutex_);
    free_ = std::max(free_, Clock::now()) +
            std::chrono::duration_cast<Clock::duration>(takes);
    passed = free_;
  }
  std::this_thread::sleep_until(passed);
}

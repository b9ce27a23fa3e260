// Time that goes by.
#pragma once

#include <chrono>

namespace rechunk {

class Stopwatch {
 public:
  /// Since it was made.
  double nanoseconds() const {
    return std::chrono::duration<double, std::nano>(Clock::now() - start_)
        .count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace rechunk

// Tells an observer how far work is, now and then.
#pragma once

#include <chrono>
#include <cstdint>

#include "rechunk/observer.h"

namespace rechunk {

/// Used by one thread at a time. Its clock starts when it is made.
class Meter {
 public:
  /// `total`: what there is to do, and what is done already. The observer may
  /// be null.
  Meter(const Progress& total, Observer* observer);

  /// Some more is done.
  void add(std::int64_t tasks, std::int64_t bytes);

  /// Tells how far it is, at most ten times a second, and when all tasks are
  /// done. Bytes of tasks in progress count; they may be taken back when a task
  /// fails, but what is told never shrinks.
  void tell(std::int64_t bytes_in_progress = 0);

  /// What is done, without what is in progress.
  const Progress& progress() const { return progress_; }
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;

  Observer* observer_;
  Progress progress_;
  std::int64_t bytes_told_ = 0;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point last_told_ = begin_;
};

}  // namespace rechunk

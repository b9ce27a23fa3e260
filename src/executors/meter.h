// The progress of a run, and its time.
#pragma once

#include <chrono>
#include <cstdint>

#include "rechunk/executor.h"
#include "rechunk/rechunk.h"

namespace rechunk {

/// Reports to an observer, which may be null, from time to time. Used by one
/// thread at a time. Its clock starts when it is made.
class Meter {
 public:
  Meter(const Plan& plan, Observer* observer);

  /// A batch is done, here or in another process.
  void add(const Step& batch, const StageReport& report);
  void add(std::int64_t tasks, std::int64_t bytes);

  std::int64_t tasks() const { return progress_.tasks_done; }
  std::int64_t bytes() const { return progress_.bytes_done; }

  /// The report with the seconds that have passed.
  Report finish(Report report) const;

 private:
  double seconds() const;

  Observer* observer_;
  Progress progress_;
  const std::chrono::steady_clock::time_point begin_;
  double last_told_ = 0;
};

}  // namespace rechunk

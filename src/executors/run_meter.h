// How far a run is, and how long it took.
#pragma once

#include <cstdint>

#include "rechunk/executor.h"
#include "rechunk/meter.h"
#include "rechunk/rechunk.h"

namespace rechunk {

/// Tells an observer, which may be null. Used by one thread at a time.
class RunMeter {
 public:
  RunMeter(const Plan& plan, Observer* observer);

  /// A batch is done, here or in another process.
  void add(const Step& batch, const StageReport& report);
  void add(std::int64_t tasks, std::int64_t bytes);

  std::int64_t tasks() const { return meter_.progress().tasks_done; }
  std::int64_t bytes() const { return meter_.progress().bytes_done; }

  /// The report with the seconds that have passed.
  Report finish(Report report) const;

 private:
  Meter meter_;
};

}  // namespace rechunk

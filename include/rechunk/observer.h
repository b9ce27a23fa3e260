// The Observer seam: what a run tells while it goes on. The core never prints.
#pragma once

#include <cstdint>

namespace rechunk {

/// What a run has done so far, or did in the end. Bytes are uncompressed
/// unless they are called stored.
struct Counts {
  std::int64_t tasks = 0;
  std::int64_t objects_read = 0;  ///< Objects opened by tasks and present.
  std::int64_t bytes_decoded = 0;
  std::int64_t objects_written = 0;
  std::int64_t bytes_encoded = 0;
  std::int64_t stored_bytes_read = 0;  ///< As they lie in the store.
  std::int64_t stored_bytes_written = 0;

  Counts& operator+=(const Counts& other);
};

/// Work done, and work that turned out not to be needed: missing or all-fill
/// objects. Their sum is what the plan predicts for a dense array.
struct StageReport {
  Counts counted;
  Counts skipped;

  StageReport& operator+=(const StageReport& other);
};

struct Progress {
  std::int64_t tasks_done = 0;
  std::int64_t tasks_total = 0;
  std::int64_t bytes_done = 0;  ///< Decoded + encoded, all stages.
  std::int64_t bytes_total = 0;
  double seconds = 0;
};

class Observer {
 public:
  virtual ~Observer() = default;
  /// Called after tasks, by one thread at a time, at most some times a second.
  /// Must return soon and must not throw.
  virtual void on_progress(const Progress& progress) = 0;
};

}  // namespace rechunk

// The Observer seam: what a run tells while it goes on. The core never prints.
#pragma once

#include <cstdint>
#include <vector>

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

/// What objects were read or written, as sums modulo 2^64 that depend neither
/// on the order nor on how tasks are put together. For the journal: a run that
/// goes on can tell whether they still are as they were.
struct ObjectSums {
  std::int64_t objects = 0;
  std::uint64_t marks = 0;     ///< Of names, sizes and, where read, versions.
  std::uint64_t contents = 0;  ///< Of bytes, where written.

  ObjectSums& operator+=(const ObjectSums& other);
  friend bool operator==(const ObjectSums&, const ObjectSums&) = default;
};

/// Work done, and work that turned out not to be needed: missing or all-fill
/// objects. Their sum is what the plan predicts for a dense array.
struct StageReport {
  Counts counted;
  Counts skipped;
  ObjectSums read, written;  ///< In the source and the target.
  /// Of source objects that one task has asked for so far, not yet in `read`.
  std::vector<std::uint64_t> source_marks;

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
  /// Called while tasks go on, by one thread at a time, at most some times a
  /// second.
  /// Must return soon and must not throw.
  virtual void on_progress(const Progress& progress) = 0;
};

}  // namespace rechunk

// The Observer seam: a run reports its progress here. The core never prints.
#pragma once

#include <cstdint>
#include <vector>

namespace rechunk {

/// The work of a run, so far or in total. Bytes are uncompressed unless their
/// name says "stored".
struct Counts {
  std::int64_t tasks = 0;
  std::int64_t objects_read = 0;  ///< That tasks opened and that exist.
  std::int64_t bytes_decoded = 0;
  std::int64_t objects_written = 0;
  std::int64_t bytes_encoded = 0;
  std::int64_t stored_bytes_read = 0;  ///< Encoded, as in the store.
  std::int64_t stored_bytes_written = 0;

  Counts& operator+=(const Counts& other);
};

/// Which objects were read or written, as sums modulo 2^64. The sums depend
/// neither on the order of tasks nor on how tasks are grouped. They are for the
/// journal: a resumed run compares them to know if objects have changed.
struct ObjectSums {
  std::int64_t objects = 0;
  std::uint64_t marks = 0;     ///< Of names, sizes and, where read, versions.
  std::uint64_t contents = 0;  ///< Of bytes, where written.

  ObjectSums& operator+=(const ObjectSums& other);
  friend bool operator==(const ObjectSums&, const ObjectSums&) = default;
};

/// Work that was done, and work that was not needed because objects were
/// missing or held only fill. The sum is what the plan predicts for a dense
/// array.
struct StageReport {
  Counts counted;
  Counts skipped;
  ObjectSums read, written;  ///< In the source and the target.
  /// Marks of source objects that one task has read, not yet added to `read`.
  std::vector<std::uint64_t> source_marks;

  StageReport& operator+=(const StageReport& other);

  /// Decoded and encoded, done and skipped: as `Progress` counts.
  std::int64_t bytes() const;
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
  /// Called during the run, by one thread at a time, at most a few times a
  /// second. Must return soon and must not throw.
  virtual void on_progress(const Progress& progress) = 0;
};

}  // namespace rechunk

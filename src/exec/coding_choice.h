// Chooses during a run how to write objects of an intermediate: raw, or through
// the light codec. Which is faster depends on the medium and the data. All
// methods may be called from any thread.
#pragma once

#include <cstdint>
#include <mutex>

namespace rechunk {

class CodingChoice {
 public:
  /// `disk_ns_per_byte`: what each stored byte costs beside the time of the
  /// thread that writes it.
  explicit CodingChoice(double disk_ns_per_byte = 0)
      : disk_ns_per_byte_(disk_ns_per_byte) {}

  /// True if the next object should be coded. At first both ways are tried, and
  /// later again from time to time.
  bool next();

  /// Reports how long it took to write an object of so many bytes, and how many
  /// are stored.
  void tell(bool coded, std::int64_t bytes, std::int64_t stored,
            double seconds);

 private:
  struct Speed {
    double bytes = 0, seconds = 0;
    double cost() const { return bytes > 0 ? seconds / bytes : 0; }
  };

  const double disk_ns_per_byte_;
  std::mutex mutex_;
  std::int64_t asked_ = 0;
  Speed raw_, coded_;
};

}  // namespace rechunk

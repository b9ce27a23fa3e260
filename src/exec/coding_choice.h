// Chooses during a run how to write objects of an intermediate: raw, or through
// the light codec. Which is faster depends on the medium and the data. All
// methods may be called from any thread.
#pragma once

#include <cstdint>
#include <mutex>

namespace rechunk {

class CodingChoice {
 public:
  /// True if the next object should be coded. At first both ways are tried, and
  /// later again from time to time.
  bool next();

  /// Reports how long it took to write an object of so many bytes.
  void tell(bool coded, std::int64_t bytes, double seconds);

 private:
  struct Speed {
    double bytes = 0, seconds = 0;
    double cost() const { return bytes > 0 ? seconds / bytes : 0; }
  };

  std::mutex mutex_;
  std::int64_t asked_ = 0;
  Speed raw_, coded_;
};

}  // namespace rechunk

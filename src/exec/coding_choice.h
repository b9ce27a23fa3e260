// Chooses, while a run goes on, whether objects of an intermediate are quicker
// written raw or through the light codec: that depends on the medium, and on
// the data. All methods may be called from any thread.
#pragma once

#include <cstdint>
#include <mutex>

namespace rechunk {

class CodingChoice {
 public:
  /// Whether the next object should be coded. Both ways are tried first, and
  /// again now and then.
  bool next();

  /// What writing an object of so many bytes took.
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

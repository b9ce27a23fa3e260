#include "exec/coding_choice.h"

namespace rechunk {
namespace {

constexpr std::int64_t kFirstTries = 4;
constexpr std::int64_t kTryAgainAfter = 16;
// Earlier objects count less and less, so that another speed soon shows.
constexpr double kMemory = 0.8;

}  // namespace

bool CodingChoice::next() {
  const std::lock_guard lock(mutex_);
  const std::int64_t turn = asked_++;
  const bool coded = coded_.cost() <= raw_.cost();
  if (turn < kFirstTries) return turn % 2 == 0;
  return turn % kTryAgainAfter == 0 ? !coded : coded;
}

void CodingChoice::tell(bool coded, std::int64_t bytes, std::int64_t stored,
                        double seconds) {
  const std::lock_guard lock(mutex_);
  Speed& speed = coded ? coded_ : raw_;
  speed.bytes = kMemory * speed.bytes + static_cast<double>(bytes);
  speed.seconds = kMemory * speed.seconds + seconds +
                  static_cast<double>(stored) * disk_ns_per_byte_ * 1e-9;
}

}  // namespace rechunk

// How often and how fast servers are asked: pauses between attempts, and the
// number of requests at a time.
#pragma once

#include <chrono>
#include <optional>

#include "http/transfer.h"

namespace rechunk::http {

using Clock = std::chrono::steady_clock;

/// The pause before the next attempt of a transfer that `kLater` was said of;
/// nothing if it had its time: `limit` since it began, or some seconds if
/// nobody answers at its address. Pauses double, and are random, so that
/// clients that were refused together do not come back together. A server
/// that says when (Retry-After) is obeyed.
std::optional<Clock::duration> pause_before_retry(const Transfer& transfer,
                                                  std::chrono::seconds limit,
                                                  Clock::time_point now);

/// How many requests may be in flight. Falls by half when the server asks for
/// less, at most once a second; then rises by one for each round that goes
/// well. Used by one thread.
class Pace {
 public:
  explicit Pace(int most) : most_(most), now_(most) {}
  int requests() const { return static_cast<int>(now_); }
  void went_well();
  void was_throttled(Clock::time_point now);

 private:
  const double most_;
  double now_;
  Clock::time_point last_cut_{};
};

}  // namespace rechunk::http

#include "http/pace.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace rechunk::http {
namespace {

using Seconds = std::chrono::duration<double>;

double random_share() {
  thread_local std::mt19937 random{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.5, 1.0)(random);
}

}  // namespace

std::optional<Clock::duration> pause_before_retry(const Transfer& transfer,
                                                  std::chrono::seconds limit,
                                                  Clock::time_point now) {
  constexpr double kFirst = 0.1, kLongest = 20, kLongestAsked = 60;
  constexpr std::chrono::seconds kUnreachable{8};
  const Answer& answer = transfer.answer;
  double pause = std::min(kLongest, kFirst * std::exp2(answer.attempts - 1)) *
                 random_share();
  if (const auto asked = parse_count(answer.header("retry-after")))
    pause =
        std::max(pause, std::min(kLongestAsked, static_cast<double>(*asked)));
  if (answer.is_unreachable) limit = std::min(limit, kUnreachable);
  if (now + Seconds(pause) > transfer.since + limit) return std::nullopt;
  return std::chrono::duration_cast<Clock::duration>(Seconds(pause));
}

void Pace::went_well() { now_ = std::min(most_, now_ + 1 / now_); }

void Pace::was_throttled(Clock::time_point now) {
  if (now - last_cut_ < std::chrono::seconds(1)) return;
  last_cut_ = now;
  now_ = std::max(1.0, now_ / 2);
}

}  // namespace rechunk::http

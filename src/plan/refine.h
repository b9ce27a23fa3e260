// A local search over choices of lengths: the last step of finding shapes.
// Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace rechunk {

/// A length to choose: ascending choices, and which is taken.
struct Dial {
  std::vector<std::int64_t> choices;
  std::size_t at = 0;

  std::int64_t length() const { return choices[at]; }
};

/// Stands at `length`, which becomes one of the choices.
inline Dial dial(std::vector<std::int64_t> choices, std::int64_t length) {
  auto found = std::lower_bound(choices.begin(), choices.end(), length);
  if (found == choices.end() || *found != length)
    found = choices.insert(found, length);
  const auto at = static_cast<std::size_t>(found - choices.begin());
  return {std::move(choices), at};
}

/// What a step must save to be worth it: this share of the cost.
inline constexpr double kEnoughSaved = 0.001;

/// Turns one dial to any choice, or two by a few steps, as long as
/// `cost(dials)` falls by more than `enough` of it; at most `rounds` times.
template <class Cost>
void refine(std::vector<Dial>& dials, int rounds, double enough, Cost&& cost) {
  constexpr std::ptrdiff_t kSteps = 2;  // Of either of two dials.
  double best = cost(dials);
  std::vector<Dial> tried = dials;
  const auto turn = [&](std::size_t dial, std::ptrdiff_t steps) {
    const auto to = static_cast<std::ptrdiff_t>(dials[dial].at) + steps;
    const auto size = static_cast<std::ptrdiff_t>(dials[dial].choices.size());
    if (to < 0 || to >= size) return false;
    tried[dial].at = static_cast<std::size_t>(to);
    return true;
  };
  while (rounds-- > 0) {
    const double before = best;
    std::vector<std::size_t> better;
    const auto judge = [&] {
      const double now = cost(tried);
      if (now >= best) return;
      best = now;
      better.clear();
      for (const Dial& dial : tried) better.push_back(dial.at);
    };
    for (std::size_t one = 0; one < dials.size(); ++one) {
      for (tried[one].at = 0; tried[one].at < tried[one].choices.size();
           ++tried[one].at)
        judge();
      for (std::size_t other = 0; other < one; ++other) {
        for (std::ptrdiff_t a = -kSteps; a <= kSteps; ++a)
          for (std::ptrdiff_t b = -kSteps; b <= kSteps; ++b)
            if (a * b != 0 && turn(one, a) && turn(other, b)) judge();
        tried[other].at = dials[other].at;
      }
      tried[one].at = dials[one].at;
    }
    if (better.empty() || best > (1 - enough) * before) return;
    for (std::size_t dial = 0; dial < dials.size(); ++dial)
      dials[dial].at = better[dial];
    tried = dials;
  }
}

}  // namespace rechunk

#include "plan/cuts.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "plan/geometry.h"

namespace rechunk {
namespace {

__extension__ using Wide = __int128;

// x with a * x = 1 modulo m, for coprime numbers (extended algorithm of
// Euclid).
std::int64_t inverse(std::int64_t a, std::int64_t m) {
  std::int64_t r = m, next_r = a % m, x = 0, next_x = 1;
  while (next_r != 0) {
    const std::int64_t quotient = r / next_r;
    r = std::exchange(next_r, r - quotient * next_r);
    x = std::exchange(next_x, x - quotient * next_x);
  }
  return x < 0 ? x + m : x;
}

// Cuts that both have within (0, length).
std::int64_t common_cuts(std::int64_t length, std::int64_t step,
                         const Cuts& pieces) {
  const std::int64_t divisor = std::gcd(step, pieces.step);
  if (pieces.first % divisor != 0) return 0;
  // first + n * pieces.step is a multiple of step for one n below `period`.
  const std::int64_t period = step / divisor;
  const std::int64_t missing =
      (period - pieces.first / divisor % period) % period;
  // Wide, because the product of two lengths may overflow.
  const auto n = static_cast<std::int64_t>(
      Wide{missing} * inverse(pieces.step / divisor, period) % period);
  const Wide found = pieces.first + Wide{n} * pieces.step;
  if (found >= length) return 0;
  const std::int64_t rest = length - 1 - static_cast<std::int64_t>(found);
  return 1 + rest / lcm_up_to(step, pieces.step, length);
}

}  // namespace

std::int64_t overlapping_pairs(std::int64_t length, std::int64_t step,
                               const Cuts& pieces) {
  if (pieces.first == 0) return overlapping_pairs(length, step, pieces.step);
  if (length == 0) return 0;
  const std::int64_t behind = std::max<std::int64_t>(0, length - pieces.first);
  return ceil_div(length, step) + ceil_div(behind, pieces.step) -
         common_cuts(length, step, pieces);
}

Region Kept::region(const Shape& shape) const {
  Region region = whole(shape);
  if (!shape.empty()) region.stop[axis] = length;
  return region;
}

Shape Kept::added(const Shape& shape) const {
  Shape behind = shape;
  if (length > 0) behind[axis] -= length;
  return behind;
}

Region moved(Region region, int axis, std::int64_t by) {
  if (by == 0) return region;
  region.start[axis] += by;
  region.stop[axis] += by;
  return region;
}

}  // namespace rechunk

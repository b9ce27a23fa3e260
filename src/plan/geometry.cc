#include "plan/geometry.h"

#include <algorithm>
#include <numeric>

namespace rechunk {

std::int64_t lcm_up_to(std::int64_t a, std::int64_t b, std::int64_t limit) {
  const std::int64_t factor = a / std::gcd(a, b);
  // Divided, because the product may overflow.
  if (factor > limit / b) return limit;
  return std::min(limit, factor * b);
}

std::int64_t overlapping_pairs(std::int64_t length, std::int64_t a,
                               std::int64_t b) {
  return ceil_div(length, a) + ceil_div(length, b) -
         ceil_div(length, lcm_up_to(a, b, std::max<std::int64_t>(1, length)));
}

double estimated_pairs(const Shape& shape, const Shape& a, const Shape& b) {
  double pairs = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    pairs *=
        static_cast<double>(overlapping_pairs(shape[axis], a[axis], b[axis]));
  return pairs;
}

std::int64_t exact_pairs(const Shape& shape, const Shape& a, const Shape& b) {
  std::int64_t pairs = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    pairs = checked_multiply(pairs,
                             overlapping_pairs(shape[axis], a[axis], b[axis]));
  return pairs;
}

std::int64_t padded_elements(const Shape& extent, const Shape& chunk) {
  std::int64_t elements = 1;
  for (std::size_t axis = 0; axis < extent.size(); ++axis)
    elements = checked_multiply(
        elements,
        checked_multiply(ceil_div(extent[axis], chunk[axis]), chunk[axis]));
  return elements;
}

Shape clip(const Shape& a, const Shape& b) {
  Shape clipped = a;
  for (std::size_t axis = 0; axis < a.size(); ++axis)
    clipped[axis] = std::max<std::int64_t>(1, std::min(a[axis], b[axis]));
  return clipped;
}

std::vector<std::int64_t> cell_lengths(std::int64_t length, std::int64_t step,
                                       std::int64_t component) {
  const bool divides = component < length;
  const std::int64_t steps = ceil_div(divides ? component : length, step);
  std::vector<std::int64_t> lengths;
  for (std::int64_t factor = 1; factor < steps;
       factor += std::max<std::int64_t>(1, factor / 8))
    if (!divides || steps % factor == 0) lengths.push_back(factor * step);
  // The coarse factors miss large divisors. Small divisors lead to them.
  for (std::int64_t factor = 2; divides && factor <= 64; ++factor)
    if (steps % factor == 0) lengths.push_back(component / factor);
  lengths.push_back(std::max<std::int64_t>(1, divides ? component : length));
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  return lengths;
}

}  // namespace rechunk

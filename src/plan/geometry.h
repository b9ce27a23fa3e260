// Arithmetic of regular grids along one axis, and of boxes made of them. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "rechunk/shape.h"

namespace rechunk {

/// lcm(a, b), or `limit` if it is larger than that.
std::int64_t lcm_up_to(std::int64_t a, std::int64_t b, std::int64_t limit);

/// Overlapping pairs of cells of two grids of steps a and b on [0, length):
/// cuts at the multiples of either, where common multiples cut once.
std::int64_t overlapping_pairs(std::int64_t length, std::int64_t a,
                               std::int64_t b);

/// The same in all dimensions, as a number for estimates and exactly.
/// Throws (exact): invalid_argument on overflow.
double estimated_pairs(const Shape& shape, const Shape& a, const Shape& b);
std::int64_t exact_pairs(const Shape& shape, const Shape& a, const Shape& b);

/// Elements of the whole units that cover a region of that extent (chunks are
/// stored whole, also at the array's edges).
std::int64_t padded_elements(const Shape& extent, const Shape& chunk);

/// min(a, b) in each axis, but at least 1.
Shape clip(const Shape& a, const Shape& b);

/// Multiples of `step` that make sensible cells on [0, length): within a
/// component shorter than the axis only those that divide it; else all small
/// ones, then ever coarser, and the whole length. Ascending.
std::vector<std::int64_t> cell_lengths(std::int64_t length, std::int64_t step,
                                       std::int64_t component);

}  // namespace rechunk

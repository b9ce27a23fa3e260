// A digest of an array's elements that does not depend on how they are
// chunked, ordered, compressed or in which byte order they are stored.
//
// Definition, version 1. The digest is a pair of sums modulo 2^64 over all
// elements. An element at row-major position p of an array is cut into words
// of at most 8 bytes, scalar by scalar: each scalar's bytes in little-endian
// order, the last word of a scalar padded with zeros. Word w (counted over all
// scalars of the element) of an array with W words per element has the number
// n = p * W + w + 1 and the value v. With all numbers modulo 2^64,
//   x = v ^ (n * A1);  x ^= x >> 32;  x *= M;  y = x ^ (n * A2)
// it adds halves(x) to lane 1 and halves(y) to lane 2, where halves(z) is the
// product of z's upper and lower 32 bits. The constants are in word_sum.cc. NaN
// counts by its bits; -0.0 is not 0.0. docs/digest.md says it for others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "rechunk/shape.h"

namespace rechunk {

/// Sums so far. Digests of disjoint parts of an array add up to the whole's.
struct Digest {
  std::uint64_t lanes[2] = {0, 0};

  Digest& operator+=(const Digest& other) {
    lanes[0] += other.lanes[0];
    lanes[1] += other.lanes[1];
    return *this;
  }
  friend bool operator==(const Digest&, const Digest&) = default;
};

/// 32 hex digits, lane 1 first.
std::string to_string(const Digest& digest);

/// One scalar of an element: its width, and whether its bytes lie in reverse.
struct DigestScalar {
  std::int64_t bytes = 0;
  bool reversed = false;
};

/// Digest of a box of elements in memory.
/// `data` and `strides` (bytes per axis) give the box; `start` its place in an
/// array of shape `shape`.
Digest digest_box(const std::vector<DigestScalar>& scalars, const Shape& shape,
                  const Shape& start, const Shape& extent,
                  const std::byte* data, const Shape& strides);

}  // namespace rechunk

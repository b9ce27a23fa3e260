// Boundaries along one axis where a grid does not begin at 0. Pure.
#pragma once

#include <cstdint>

#include "rechunk/shape.h"

namespace rechunk {

/// The first piece is [0, first). All others have length `step`.
struct Cuts {
  std::int64_t first = 0;
  std::int64_t step = 1;
};

/// Overlapping pairs on [0, length) of pieces, and of cells of step `step`.
std::int64_t overlapping_pairs(std::int64_t length, std::int64_t step,
                               const Cuts& pieces);

/// Elements that the target of an array already has: the first `length` along
/// an axis. Their objects are read and written again, with the new elements
/// after them.
struct Kept {
  int axis = 0;
  std::int64_t length = 0;  ///< 0: there are none.

  /// The box of them in an array of that shape.
  Region region(const Shape& shape) const;
  /// The shape of what comes behind.
  Shape added(const Shape& shape) const;
};

/// The box moved by `by` along an axis.
Region moved(Region region, int axis, std::int64_t by);

}  // namespace rechunk

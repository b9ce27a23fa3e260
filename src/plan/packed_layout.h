// Where pieces lie in the objects of a packed intermediate. Pure.
//
// A task of one stage writes one object: its region, cut into ranges, one for
// each block of the stage that reads it, and each range into pieces, one for
// each unit (chunk) of that block. Ranges follow each other in row-major order
// of blocks, pieces in row-major order of units; elements of a piece are
// contiguous in the order of the target's axes. Nothing is stored but elements:
// the plan alone tells every offset. DESIGN.md specifies the bytes.
#pragma once

#include "plan/task_grid.h"
#include "rechunk/shape.h"

namespace rechunk {

/// Room for rounding each buffer of a task up to its alignment.
inline constexpr std::int64_t kAlignmentBytes = 1024;

struct PackedLayout {
  Shape blocks;  ///< Shape of the blocks that later tasks read.
  Shape units;   ///< Shape of the pieces' grid; divides `blocks`, or equals it.

  /// First element of the range of block `block` in the object that holds
  /// `object`.
  std::int64_t range_offset(const Region& object, const Shape& block) const {
    return elements_before(object, blocks, block);
  }

  /// First element of the piece of unit `unit` in the object.
  std::int64_t piece_offset(const Region& object, const Shape& unit) const;
};

}  // namespace rechunk

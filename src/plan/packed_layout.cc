#include "plan/packed_layout.h"

#include <algorithm>

namespace rechunk {

std::int64_t PackedLayout::piece_offset(const Region& object,
                                        const Shape& unit) const {
  Shape block(unit.size());
  Region range = object;
  for (std::size_t axis = 0; axis < unit.size(); ++axis) {
    block[axis] = unit[axis] * units[axis] / blocks[axis];
    const std::int64_t start = block[axis] * blocks[axis];
    range.start[axis] = std::max(object.start[axis], start);
    range.stop[axis] = std::min(object.stop[axis], start + blocks[axis]);
  }
  return range_offset(object, block) + elements_before(range, units, unit);
}

}  // namespace rechunk

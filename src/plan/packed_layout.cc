#include "plan/packed_layout.h"

#include <algorithm>

namespace rechunk {

std::int64_t PackedLayout::piece_offset(const Region& object,
                                        const Shape& unit) const {
  const auto in_object = [&](std::size_t axis) {
    const std::int64_t start = object.start[axis], stop = object.stop[axis];
    const std::int64_t block = unit[axis] * units[axis] / blocks[axis];
    return SharedAxis{start, stop, std::max(start, block * blocks[axis]),
                      std::min(stop, (block + 1) * blocks[axis])};
  };
  const auto in_block = [&](std::size_t axis) {
    const SharedAxis block = in_object(axis);
    const std::int64_t start = unit[axis] * units[axis];
    return SharedAxis{block.from, block.to, std::max(block.from, start),
                      std::min(block.to, start + units[axis])};
  };
  return elements_before(unit.size(), in_object) +
         elements_before(unit.size(), in_block);
}

}  // namespace rechunk

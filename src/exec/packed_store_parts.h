// What writing and reading packed intermediates share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "exec/packed_store.h"

namespace rechunk {

// The content of an object that would hold only fill. Readers know it by its
// size, because no object with the elements of that task has this size. It
// cannot be left out, because a missing object is an error.
inline std::span<const std::byte> fill_marker(std::int64_t object_bytes) {
  static constexpr std::byte kMarker[1] = {};
  // If the elements take one byte, the marker must have another size.
  return std::span(kMarker).first(object_bytes == 1 ? 0 : 1);
}

// Calls visit(piece) for the pieces of a range, in the order of their bytes.
template <class Visit>
void PackedStore::for_each_piece(const Region& part, Visit&& visit) const {
  const Shape& units = options_.layout.units;
  const Region touched = boxes_touching(part, Shape(units.size(), 0), units);
  for_each_point(touched, [&](const Shape& unit) {
    Shape start = unit;
    for (std::size_t axis = 0; axis < start.size(); ++axis)
      start[axis] *= units[axis];
    visit(intersect(part, clipped_box(start, units, options_.shape)));
  });
}

}  // namespace rechunk

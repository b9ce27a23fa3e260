// Copies boxes of elements between memory layouts: the kernel of rechunking.
//
// Elements are opaque boxes of `item_bytes`. A layout is one stride in bytes
// per axis. Nothing here allocates, throws or knows of files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rechunk/shape.h"

namespace rechunk {

/// Strides in bytes of a box that is contiguous when its axes are taken in
/// `axis_order` (axis_order[0] varies slowest); C order is 0, 1, 2, ...
Shape contiguous_strides(const Shape& extent,
                         const std::vector<int>& axis_order,
                         std::int64_t item_bytes);

/// 0, 1, ..., rank - 1.
std::vector<int> c_order(int rank);

/// True if a box of that extent has no gaps in a layout of those strides and
/// is contiguous in `axis_order`.
bool is_contiguous(const Shape& extent, const Shape& strides,
                   const std::vector<int>& axis_order, std::int64_t item_bytes);

/// Copies a box of `extent` elements. Source and target must not overlap.
/// Axes that are contiguous in both are merged, runs are copied with fixed
/// sizes, and transpositions go tile by tile.
void strided_copy(const Shape& extent, std::int64_t item_bytes,
                  std::byte* target, const Shape& target_strides,
                  const std::byte* source,
                  const Shape& source_strides) noexcept;

/// Repeats one element over a whole buffer.
void fill_elements(std::span<std::byte> target,
                   std::span<const std::byte> element) noexcept;

/// Repeats one element over a box of a layout.
void strided_fill(const Shape& extent, std::byte* target,
                  const Shape& target_strides,
                  std::span<const std::byte> element) noexcept;

/// True if the buffer holds nothing but that element. Stops at the first
/// difference, so that it costs nothing on data.
bool holds_only(std::span<const std::byte> buffer,
                std::span<const std::byte> element) noexcept;

/// First byte of `part` in memory where `region` begins at `data`; `strides` in
/// bytes per axis.
inline const std::byte* byte_at(const std::byte* data, const Region& region,
                                const Region& part, const Shape& strides) {
  for (std::size_t axis = 0; axis < strides.size(); ++axis)
    data += (part.start[axis] - region.start[axis]) * strides[axis];
  return data;
}

}  // namespace rechunk

// How a part of an unencoded chunk is read: in slabs that fit into a small
// buffer. A slab consists of runs of neighbouring bytes in the object. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "rechunk/shape.h"

namespace rechunk {

/// A chunk whose elements lie as they are, without codecs.
struct RawChunk {
  Region region;                       ///< Its elements, clipped to the array.
  Shape shape;                         ///< Its full shape: it is stored whole.
  const std::vector<int>& axis_order;  ///< Outermost in memory first.
  std::int64_t item_bytes = 1;
};

/// A box of a chunk that is read in one batch, and lies in the buffer without
/// gaps, in the chunk's axis order.
struct Slab {
  Region box;   ///< In elements of the array; may reach beyond its edges.
  Region part;  ///< What is wanted of it.
  /// First byte of each run in the chunk; together they make the box.
  std::vector<std::int64_t> runs;
  std::int64_t run_bytes = 0;
};

/// A slab has at most so many bytes, or is one run: small enough to stay in a
/// core's cache until it is copied on.
inline constexpr std::int64_t kSlabBytes = 1 << 20;

/// Bytes of the buffer that any slab fits.
std::int64_t slab_bytes(const RawChunk& chunk);

/// Visits the slabs of `wanted`, a part of chunk.region. If runs would be
/// short, neighbours that are not wanted are read, too.
void for_each_slab(const RawChunk& chunk, const Region& wanted,
                   const std::function<void(const Slab&)>& visit);

}  // namespace rechunk

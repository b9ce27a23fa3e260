// The layout of an array's elements in its objects: everything for reading and
// writing chunks, without JSON. Made once from ArrayMetadata, then immutable
// and shared by all threads.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "codec/codec.h"
#include "rechunk/shape.h"
#include "zarr/documents/metadata.h"

namespace rechunk {

/// One level of sharding (Zarr v3, sharding_indexed): a box of elements that
/// holds smaller boxes and an index of where they lie.
struct ShardLevel {
  Shape chunk_shape;            ///< Boxes in this shard, in the array's axes.
  Shape chunk_counts;           ///< Boxes per axis of the array.
  std::vector<int> axis_order;  ///< Index entries run in C order of these axes.
  bool index_at_start = false;
  bool index_big_endian = false;
  bool index_has_crc32c = true;
  std::int64_t index_bytes = 0;  ///< Encoded size: 16 per box, 4 for a crc32c.
};

struct ArrayLayout {
  Shape shape;
  Shape object_shape;  ///< What one key holds: chunks, or shards.
  Shape chunk_shape;   ///< The unit of decoding: the innermost chunk.
  std::vector<ShardLevel> shards;  ///< Outermost first; empty: not sharded.
  /// Memory order of a decoded chunk: axis_order[0] varies slowest. C order is
  /// 0, 1, 2, ...; order F of v2 is ..., 2, 1, 0.
  std::vector<int> axis_order;
  std::int64_t item_bytes = 0;
  std::vector<DataType::Scalar> scalars;  ///< Byte order as stored.
  CodecChain codecs;                      ///< Of the innermost chunk.
  ChunkKeyEncoding key_encoding;
  std::vector<std::byte> fill;  ///< One element, in the stored byte order.

  std::int64_t chunk_bytes() const;  ///< Decoded size of one chunk.
};

/// Throws: unsupported (names the codec or data type that cannot be decoded),
/// corrupt (inner chunks do not divide a shard, bad permutation, ...),
/// invalid_argument (sizes overflow).
ArrayLayout make_layout(const ArrayMetadata& metadata);

/// False for arrays that `make_layout` refuses. They can only be moved as
/// stored.
bool is_decodable(const ArrayMetadata& metadata);

/// Short name of the part of an array that cannot be decoded:
/// "numcodecs.shuffle", "string".
std::string undecodable_part(const ArrayMetadata& metadata);

/// The outermost shards; nothing if there are none. Chunks need not be
/// decodable. Throws: as make_layout.
std::optional<ShardLevel> outermost_shards(const ArrayMetadata& metadata);

}  // namespace rechunk

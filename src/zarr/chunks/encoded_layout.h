// Finds encoded chunks, for code that moves or compares them without decoding.
// Codecs need not be known.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>

#include "rechunk/store.h"
#include "zarr/chunks/shard_index.h"
#include "zarr/documents/layout.h"

namespace rechunk {

struct EncodedLayout {
  Grid objects;                     ///< What one key holds: chunks, or shards.
  Grid chunks;                      ///< The chunks within, of the whole array.
  std::optional<ShardLevel> shard;  ///< How an object holds chunks.
  ChunkKeyEncoding key_encoding;
  /// Sizes that an encoded chunk can have; any, if its codecs are not known.
  std::int64_t least_chunk_bytes = 0;
  std::int64_t most_chunk_bytes = std::numeric_limits<std::int64_t>::max();

  /// Of a shard's index in memory; 0 if there are no shards.
  std::int64_t index_bytes() const;

  /// Coordinates of a chunk within its shard.
  Shape within(const Shape& object, const Shape& chunk) const;

  /// Throws: corrupt if no encoded chunk has that size.
  void check_chunk_bytes(std::int64_t bytes) const;
};

/// Requires: no shards in shards. Throws: as make_layout, but accepts unknown
/// codecs and types.
EncodedLayout encoded_layout(const ArrayMetadata& metadata);

}  // namespace rechunk

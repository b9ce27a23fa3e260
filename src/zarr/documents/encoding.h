// Answers about an array's encoding that need no codec: the keys of its chunks,
// the chunks that readers see, descriptions, and whether encoded objects may be
// moved.
#pragma once

#include <optional>
#include <string>

#include "zarr/documents/metadata.h"

namespace rechunk {

/// Key of a chunk below its array: "c/0/1", "0.1", "c" or "0" for rank 0. The
/// coordinates count from the first object.
std::string chunk_key(const ChunkKeyEncoding& encoding,
                      const Shape& coordinates);

/// Chunk shape that readers of elements see: the innermost chunk of shards.
Shape inner_chunks(const ArrayMetadata& metadata);

/// The shards of an array; nothing if it has none.
std::optional<Shape> shards_of(const ArrayMetadata& metadata);

/// Short text for people: "blosc(lz4, 5, shuffle)", "zstd(3)", "none".
std::string describe_codecs(const ArrayMetadata& metadata);

/// True if an encoded object of `a` is, byte for byte, a right encoded object
/// of `b`: equal grid, shape, type, byte order, decode chain and fill value,
/// also across v2 and v3. Codecs need not be known.
bool same_encoding(const ArrayMetadata& a, const ArrayMetadata& b);

/// True if each encoded chunk of `a` is, byte for byte, a right encoded chunk
/// of `b`, wherever chunks lie: in shards of any shape, or as objects. False
/// for shards in shards.
bool same_chunk_encoding(const ArrayMetadata& a, const ArrayMetadata& b);

}  // namespace rechunk

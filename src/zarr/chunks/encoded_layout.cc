#include "zarr/chunks/encoded_layout.h"

#include <fmt/format.h>

#include <utility>

#include "base/memory_budget.h"
#include "rechunk/error.h"
#include "zarr/chunks/array_reader.h"
#include "zarr/documents/encoding.h"

namespace rechunk {

std::int64_t EncodedLayout::index_bytes() const {
  return shard ? MemoryBudget::aligned(shard->index_bytes) : 0;
}

Shape EncodedLayout::within(const Shape& object, const Shape& chunk) const {
  Shape coordinates = chunk;
  for (std::size_t axis = 0; axis < chunk.size(); ++axis)
    coordinates[axis] -= object[axis] * shard->chunk_counts[axis];
  return coordinates;
}

void EncodedLayout::check_chunk_bytes(std::int64_t bytes) const {
  if (bytes >= least_chunk_bytes && bytes <= most_chunk_bytes) return;
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format("it holds {} bytes, a chunk of it has {} {}", bytes,
                  least_chunk_bytes == most_chunk_bytes ? "exactly" : "at most",
                  most_chunk_bytes));
}

EncodedLayout encoded_layout(const ArrayMetadata& metadata) {
  EncodedLayout result;
  result.objects = Grid(metadata.shape, metadata.chunks);
  result.chunks = Grid(metadata.shape, inner_chunks(metadata));
  result.shard = outermost_shards(metadata);
  result.key_encoding = metadata.key_encoding;
  // How large such chunks may be is not known, so any size is taken.
  if (!is_decodable(metadata)) return result;
  const ArrayLayout layout = make_layout(metadata);
  const bool raw = layout.codecs.empty();
  result.most_chunk_bytes =
      raw ? layout.chunk_bytes() : encoded_capacity(layout);
  if (raw) result.least_chunk_bytes = result.most_chunk_bytes;
  return result;
}

}  // namespace rechunk

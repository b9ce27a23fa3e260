// Measures the cost of single chunks of an array: reading, and encoding with
// the target's codecs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/memory_budget.h"
#include "codec/codec.h"
#include "rechunk/observer.h"
#include "rechunk/store.h"
#include "zarr/chunks/array_reader.h"
#include "zarr/documents/layout.h"
#include "zarr/documents/metadata.h"

namespace rechunk {

class Block;

/// The measurement of one chunk.
struct ChunkSample {
  double first_read_ns = 0;  ///< Reading and decoding the chunk.
  double read_ns = 0;        ///< The same once its bytes are in the cache.
  double encode_ns = 0;      ///< Per byte.
  /// Stored bytes per byte; light: of coded intermediates.
  double source_ratio = 1, target_ratio = 1, light_ratio = 1;
};

/// May be used by many threads, each with an arena of its own.
class ChunkSampler {
 public:
  ChunkSampler(const std::shared_ptr<Store>& store, const std::string& path,
               const ArrayMetadata& source, const ArrayMetadata& target);

  std::int64_t chunk_count() const { return chunks_.cell_count(); }
  std::int64_t chunk_bytes() const { return source_->chunk_bytes(); }
  /// Bytes that `sample` takes from its arena.
  std::int64_t memory_bytes() const;

  bool is_there(std::int64_t chunk) const;

  /// Nothing if the chunk is missing. Throws: corrupt, io.
  std::optional<ChunkSample> sample(std::int64_t chunk, Arena& arena) const;

 private:
  double read(Block& block, Arena& arena, StageReport& report) const;
  void encode(std::span<const std::byte> elements, Arena& arena,
              ChunkSample& sample) const;

  std::shared_ptr<const ArrayLayout> source_;
  ArrayLayout target_;
  CodecChain light_codec_;
  ArrayReader reader_;
  Grid chunks_;
};

}  // namespace rechunk

// The index of one shard: where each inner chunk lies, 16 bytes per chunk.
// Zarr v3 specification, sharding_indexed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "rechunk/store.h"
#include "zarr/documents/layout.h"

namespace rechunk {

/// A view of the encoded index, in the caller's memory.
class ShardIndex {
 public:
  /// Place of an inner chunk, in bytes from the shard's first.
  struct Entry {
    std::int64_t offset = 0;
    std::int64_t bytes = 0;
  };

  /// Requires: `encoded` holds level.index_bytes bytes.
  ShardIndex(const ShardLevel& level, std::span<std::byte> encoded)
      : level_(level), encoded_(encoded) {}

  /// Checks the checksum, if there is one. Throws: corrupt.
  void check() const;

  /// Number of an inner chunk in the index; `coordinates` count chunks from
  /// the shard's first.
  std::int64_t position(const Shape& coordinates) const;

  /// Nothing if the chunk is empty.
  /// Throws: corrupt if it reaches beyond a shard of `shard_bytes`.
  std::optional<Entry> entry(std::int64_t position,
                             std::int64_t shard_bytes) const;

  void clear();  ///< Marks all chunks as empty.
  void set(std::int64_t position, Entry entry);
  void seal();  ///< Adds the checksum, if there is one.

 private:
  const ShardLevel& level_;
  std::span<std::byte> encoded_;
};

/// A request that reads the index of a shard into `index`.
ReadRequest index_request(const ShardLevel& level, std::string key,
                          std::span<std::byte> index);

/// The index, after that request was run. Nothing if the object does not exist.
/// Throws: corrupt.
std::optional<ShardIndex> checked_index(const ShardLevel& level,
                                        const ReadRequest& done);

}  // namespace rechunk

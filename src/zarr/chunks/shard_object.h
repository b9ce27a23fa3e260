// One shard while it is being written: encoded chunks one after the other,
// then the index.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/content_hash.h"
#include "rechunk/observer.h"
#include "rechunk/store.h"
#include "zarr/chunks/shard_index.h"

namespace rechunk {

/// Used by one thread. Nothing is written before the first `append`; destroyed
/// without `finish`, it leaves nothing behind.
class ShardObject {
 public:
  /// `index`: level.index_bytes bytes. It, store and level outlive this.
  /// `erase_empty`: a shard without chunks is erased, since one may be there.
  ShardObject(Store& store, std::string key, const ShardLevel& level,
              std::span<std::byte> index, bool erase_empty);

  /// Sets the place of an inner chunk: `place.offset` bytes after everything
  /// that was appended so far. `coordinates` count from the shard's first
  /// chunk.
  void add(const Shape& coordinates, ShardIndex::Entry place);

  /// Throws: io, without the object's place.
  void append(std::span<const std::byte> bytes);

  /// Adds the index and makes the shard visible; a shard to which nothing was
  /// appended is not written. Throws: io, with the object's place.
  void finish(StageReport& report);

  std::string describe() const { return store_.describe(key_); }

 private:
  Store& store_;
  const std::string key_;
  const ShardLevel& level_;
  std::span<std::byte> index_bytes_;
  ShardIndex index_;
  const bool erase_empty_;
  std::unique_ptr<ObjectWriter> object_;
  ContentHash hash_;  ///< Of all but a header.
  std::int64_t end_;  ///< Where the next bytes go.
};

}  // namespace rechunk

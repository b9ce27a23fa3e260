// Writes the chunks of a Zarr array, or streams them into shards. Chunks that
// hold only the fill value are left out, unless the options say otherwise.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/content_hash.h"
#include "base/idle_threads.h"
#include "base/memory_budget.h"
#include "rechunk/observer.h"
#include "rechunk/store.h"
#include "zarr/chunks/shard_object.h"
#include "zarr/documents/layout.h"

namespace rechunk {

/// The decoded bytes of the chunk that starts at an element: whole, padded
/// beyond the array's edges, in the layout's axis order and byte order. Empty
/// for a chunk that is known to hold only fill.
using ChunkBytes =
    std::function<std::span<const std::byte>(const Shape& start)>;

class ShardWriter;

/// What to do with chunks that hold only the fill value.
enum class EmptyChunks {
  kLeaveOut,  ///< Nothing is there.
  kWrite,
  kErase,  ///< Something may be there: objects without data are removed.
};

/// Immutable; may be used by many threads, each with its own arena.
class ArrayWriter {
 public:
  ArrayWriter(std::shared_ptr<Store> store, std::string path,
              std::shared_ptr<const ArrayLayout> layout,
              EmptyChunks empty_chunks);

  const ArrayLayout& layout() const { return *layout_; }
  const Grid& objects() const { return objects_; }
  Medium medium() const { return store_->medium(); }

  /// Chunks that hold only this element are left out. Empty: all chunks are
  /// written.
  std::span<const std::byte> left_out() const;

  /// Writes one object that is a chunk (`ChunkBytes`). Requires: no shards.
  /// Throws: io (with the object's place).
  void write_chunk(const Shape& object, std::span<const std::byte> chunk,
                   Arena& arena, StageReport& report) const;

  /// The same of all objects that `cells` names, with up to `window` of them in
  /// flight. Takes unit_scratch_bytes from the arena, and request_bytes for
  /// each object in flight. `chunks(cell)` has the chunk of a cell.
  void write_chunks(const Region& cells, const ChunkBytes& chunks, int window,
                    Arena& arena, StageReport& report) const;

  /// Notes the existing objects of a region of whole objects, in the same way
  /// as when they were written; their content only if there is a buffer.
  void note_objects(const Region& region, std::span<std::byte> buffer,
                    ObjectSums& sums) const;

  /// Begins a shard; takes object_scratch_bytes from the arena until it ends.
  /// Nothing is written before the first chunk that is not empty. `idle`
  /// threads (may be null) also encode units. The shard is the same as if one
  /// thread had written it.
  std::unique_ptr<ShardWriter> open_shard(const Shape& object, Arena& arena,
                                          IdleThreads* idle = nullptr) const;

  /// Memory for appending one unit (a chunk, or a shard in a shard).
  static std::int64_t unit_scratch_bytes(const ArrayLayout& layout);
  static std::int64_t object_scratch_bytes(const ArrayLayout& layout);
  /// Memory for each of several chunks in flight. Chunks without codecs are
  /// written from where they are; they count as one byte, because 0 says that
  /// there is no window. Shards have none.
  static std::int64_t request_bytes(const ArrayLayout& layout);

 private:
  friend class ShardWriter;
  std::span<const std::byte> encode(std::span<const std::byte> chunk,
                                    std::span<std::byte> output,
                                    Arena& arena) const;
  bool leaves_out(const std::string& key, std::span<const std::byte> chunk,
                  StageReport& report) const;
  static void note(const WriteRequest& written, StageReport& report);
  bool is_empty(std::span<const std::byte> chunk) const;
  std::string key_of(const Shape& object) const;

  std::shared_ptr<Store> store_;
  std::string path_;
  std::shared_ptr<const ArrayLayout> layout_;
  Grid objects_;
  EmptyChunks empty_chunks_;
};

/// One shard while it is being written. Used by one thread. Destroyed without
/// `finish`, it leaves nothing behind.
class ShardWriter {
 public:
  ShardWriter(const ArrayWriter& writer, const Shape& object, Arena& arena,
              IdleThreads* idle);

  /// Encodes and appends the units of the shard that `region` covers.
  /// Requires: `region` covers whole units, clipped to the array.
  void append(const Region& region, const ChunkBytes& chunks, Arena& arena,
              StageReport& report);

  /// Adds the index and makes the shard visible; a shard without chunks is
  /// not written.
  void finish(StageReport& report);

 private:
  std::span<const std::byte> encode_unit(const Shape& start,
                                         const ChunkBytes& chunks, Arena& arena,
                                         StageReport& report);
  void append_unit(const Shape& coordinates,
                   std::span<const std::byte> encoded);
  std::int64_t encode_box(std::size_t level, const Shape& start,
                          const ChunkBytes& chunks, std::span<std::byte> output,
                          Arena& arena, StageReport& report);
  std::int64_t encode_chunk(const Shape& start, const ChunkBytes& chunks,
                            std::span<std::byte> output, Arena& arena,
                            StageReport& report);

  const ArrayWriter& writer_;
  const ArrayLayout& layout_;
  const Region region_;
  ShardObject object_;
  IdleThreads* const idle_;
};

}  // namespace rechunk

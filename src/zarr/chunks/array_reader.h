// Reads regions of a Zarr array: finds the chunks, decodes them, and gives the
// elements to a sink. The unit of reading is the innermost chunk. From a shard,
// only its index and the wanted chunks are read.
// Part: array_reader_window.cc (several chunks in flight).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "rechunk/observer.h"
#include "rechunk/store.h"
#include "zarr/chunks/raw_parts.h"
#include "zarr/chunks/shard_index.h"
#include "zarr/documents/layout.h"
#include "zarr/elements/byte_order.h"

namespace rechunk {

/// Takes decoded elements, in the byte order that the reader was made for.
class RegionSink {
 public:
  virtual ~RegionSink() = default;

  /// Memory into which `part` may be decoded, contiguous in `axis_order`;
  /// nullptr if there is none. If `part` has data, `put` follows.
  virtual std::byte* place(const Region& part,
                           const std::vector<int>& axis_order) = 0;

  /// Elements of `part`; `strides` in bytes per axis. `data` may be the memory
  /// that `place` returned: then they are already in their place.
  virtual void put(const Region& part, const std::byte* data,
                   const Shape& strides) = 0;

  /// `part` is missing in the array: all its elements are `element`.
  virtual void put_fill(const Region& part,
                        std::span<const std::byte> element) = 0;

  /// At least `bytes` of memory that the reader may use until the first `put`,
  /// if it reads `region` only; or none.
  virtual std::span<std::byte> spare(const Region& /*region*/,
                                     std::int64_t /*bytes*/) {
    return {};
  }
};

/// A source of elements. Immutable; may be used by many threads, each with its
/// own arena.
class RegionReader {
 public:
  virtual ~RegionReader() = default;
  /// Gives the elements of `region` to the sink, part by part.
  virtual void read(const Region& region, RegionSink& sink, Arena& arena,
                    StageReport& report) const = 0;
  /// Bytes of `spare` memory of a sink that reading `region` can use, and then
  /// does not take from the arena; 0 if none.
  virtual std::int64_t spare_bytes(const Region& /*region*/) const { return 0; }
  /// Visits the objects that reading `region` needs; none if elements do not
  /// come from objects.
  virtual void visit_objects(const Region& /*region*/,
                             const VisitObject& /*visit*/) const {}
};

class ArrayReader final : public RegionReader {
 public:
  /// `path`: of the array in the store. Elements get the byte order of
  /// `scalars`, which are of the array's type. `window`: chunks that one call
  /// asks for at a time.
  ArrayReader(std::shared_ptr<const Store> store, std::string path,
              std::shared_ptr<const ArrayLayout> layout,
              const std::vector<DataType::Scalar>& scalars, int window = 1);

  /// Reads all of `region`. Takes unit_scratch_bytes + object_scratch_bytes
  /// from the arena and gives them back; with a window of several requests also
  /// request_bytes for each of them.
  /// Throws: corrupt, io (with the object's place in the message).
  void read(const Region& region, RegionSink& sink, Arena& arena,
            StageReport& report) const override;
  /// If only one chunk is read, its encoded bytes may use the memory of its
  /// elements.
  std::int64_t spare_bytes(const Region& region) const override;
  void visit_objects(const Region& region,
                     const VisitObject& visit) const override;

  const ArrayLayout& layout() const { return *layout_; }

  /// Memory for reading one chunk, beside the sink's.
  static std::int64_t unit_scratch_bytes(const ArrayLayout& layout);
  /// The part of it that a sink may spare; 0 if none can.
  static std::int64_t spare_bytes(const ArrayLayout& layout);
  /// Memory for each of several chunks in flight; 0 if chunks are so large, and
  /// without codecs, that parts of them are read.
  static std::int64_t request_bytes(const ArrayLayout& layout);
  /// Memory for an open object: the index of a shard and those of shards inside
  /// it.
  static std::int64_t object_scratch_bytes(const ArrayLayout& layout);

 private:
  struct Call;   // The arguments of one `read`.
  struct Box;    // A shard, or a shard within a shard.
  struct Piece;  // A chunk, and where its bytes are.

  void read_objects_in_window(Call& call) const;
  std::int64_t shards_at_once(const Region& region) const;
  void read_shards_in_window(std::int64_t at_once, Call& call) const;
  void add_pieces(const Box& box, std::vector<Piece>& pieces, Call& call) const;
  void read_pieces(std::vector<Piece>& pieces, Call& call) const;
  void read_box_in_window(const Box& box, Call& call) const;
  template <class Next>
  void read_in_window(std::int64_t count, Next&& next, Call& call) const;
  void take_chunk(const Piece& piece, const ReadRequest& request,
                  Call& call) const;
  void read_chunk_object(const Region& chunk, const std::string& key,
                         Call& call) const;
  void read_shard_object(const Region& object, const std::string& key,
                         Call& call) const;
  void read_box(const Box& box, Call& call) const;
  void read_inner_chunk(const Region& chunk, const std::string& key,
                        ShardIndex::Entry entry, Call& call) const;
  void read_raw_object(const Region& chunk, const std::string& key,
                       Call& call) const;
  bool read_raw(const Region& chunk, const std::string& key,
                std::int64_t offset, Call& call) const;
  bool read_runs(const Slab& slab, const std::string& key, std::int64_t offset,
                 std::span<std::byte> memory, Call& call) const;
  std::int64_t decoded_bytes(const Region& wanted, const Region& box) const;
  Region whole_chunk(const Region& chunk) const;
  void check_size(std::int64_t object_bytes) const;
  void check_inner_size(ShardIndex::Entry entry) const;
  void skip(const Region& box, Call& call) const;
  void decode(const Region& chunk, std::span<const std::byte> encoded,
              Call& call) const;
  std::span<std::byte> encoded_buffer(Call& call) const;
  std::span<std::byte> decode_buffer(const Region& chunk, Call& call) const;
  void deliver(const Region& wanted, const Region& box,
               std::span<std::byte> memory, Call& call) const;

  std::shared_ptr<const Store> store_;
  std::string path_;
  std::shared_ptr<const ArrayLayout> layout_;
  Grid objects_;
  const int window_;
  ByteSwap swap_;
  std::vector<std::byte> fill_;
};

/// Largest encoded object that can be a chunk: encoders differ a little.
std::int64_t encoded_capacity(const ArrayLayout& layout);

}  // namespace rechunk

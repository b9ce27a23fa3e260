// Reads regions of a Zarr array: finds the chunks, decodes them, and hands the
// elements to a sink. The unit of reading is the innermost chunk; of a shard
// only its index and the chunks that are wanted are read.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

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

  /// Memory where `part`, contiguous in `axis_order`, may be decoded to;
  /// nullptr if there is none. `put` follows if there is such data.
  virtual std::byte* place(const Region& part,
                           const std::vector<int>& axis_order) = 0;

  /// Elements of `part`; `strides` in bytes per axis. `data` may be what
  /// `place` gave: then they are where they belong.
  virtual void put(const Region& part, const std::byte* data,
                   const Shape& strides) = 0;

  /// `part` is missing in the array: all its elements are `element`.
  virtual void put_fill(const Region& part,
                        std::span<const std::byte> element) = 0;

  /// Memory that may hold anything until the first `put`, if all that comes is
  /// `region`: at least `bytes`, or none.
  virtual std::span<std::byte> spare(const Region& /*region*/,
                                     std::int64_t /*bytes*/) {
    return {};
  }
};

/// Where elements of a region come from. Immutable; may be used by many
/// threads, each with its own arena.
class RegionReader {
 public:
  virtual ~RegionReader() = default;
  /// Hands all of `region` to the sink, part by part.
  virtual void read(const Region& region, RegionSink& sink, Arena& arena,
                    StageReport& report) const = 0;
  /// What the sink may spare for reading `region`, so that this takes as much
  /// less from the arena; 0 if it would be of no use.
  virtual std::int64_t spare_bytes(const Region& /*region*/) const { return 0; }
  /// Looks at the objects that reading `region` asks for; at none where
  /// elements do not come from objects.
  virtual void visit_objects(const Region& /*region*/,
                             const VisitObject& /*visit*/) const {}
};

class ArrayReader final : public RegionReader {
 public:
  /// `path`: of the array in the store. Elements come in the byte order of
  /// `scalars`, the same type's as the array's.
  ArrayReader(std::shared_ptr<const Store> store, std::string path,
              std::shared_ptr<const ArrayLayout> layout,
              const std::vector<DataType::Scalar>& scalars);

  /// Reads all of `region`. Takes unit_scratch_bytes + object_scratch_bytes
  /// from the arena and gives them back.
  /// Throws: corrupt, io (with the object's place in the message).
  void read(const Region& region, RegionSink& sink, Arena& arena,
            StageReport& report) const override;
  /// A chunk that is read alone may lie encoded where it goes decoded.
  std::int64_t spare_bytes(const Region& region) const override;
  void visit_objects(const Region& region,
                     const VisitObject& visit) const override;

  const ArrayLayout& layout() const { return *layout_; }

  /// What reading one chunk takes beside the sink's memory.
  static std::int64_t unit_scratch_bytes(const ArrayLayout& layout);
  /// The part of it that a sink may spare; 0 if none can.
  static std::int64_t spare_bytes(const ArrayLayout& layout);
  /// What an open object takes: the indices of a shard and those within.
  static std::int64_t object_scratch_bytes(const ArrayLayout& layout);

 private:
  struct Call;  // The arguments of one `read`.
  struct Box;   // A shard, or a shard within a shard.

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
  ByteSwap swap_;
  std::vector<std::byte> fill_;
};

/// Largest encoded object that can be a chunk: encoders differ a little.
std::int64_t encoded_capacity(const ArrayLayout& layout);

}  // namespace rechunk

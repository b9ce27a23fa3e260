// The packed intermediate of one stage: one object per task. Offsets of pieces
// come from the plan alone; in a coded object, from its header
// (src/plan/DESIGN.md).
// Part: packed_store_read.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "codec/codec.h"
#include "exec/block.h"
#include "exec/coding_choice.h"
#include "exec/pulse.h"
#include "plan/packed_layout.h"
#include "plan/task_grid.h"
#include "rechunk/observer.h"
#include "rechunk/store.h"

namespace rechunk {

/// May be used by many threads.
class PackedStore {
 public:
  struct Options {
    std::string prefix;   ///< Of its keys in the store.
    Shape shape;          ///< Of the array.
    Shape component;      ///< Of the staged copy.
    Shape chunks;         ///< Of the tasks that write: one object each.
    PackedLayout layout;  ///< Of the blocks that read.
    std::vector<int> axis_order;
    std::int64_t item_bytes = 1;
    std::vector<std::byte> fill;  ///< The element of objects without data.
    /// Objects may be coded: their writers and readers have the memory for it.
    bool coded = false;
    double disk_ns_per_byte = 0;  ///< CopyCosts::temp_disk_ns_per_byte.
    /// Ranges that a block asks for at a time, if the store serves several.
    int window = 1;
  };

  PackedStore(std::shared_ptr<Store> store, Options options);

  /// How a task's block lies in memory, ready to be written.
  BlockLayout block_layout(const Region& task) const;
  /// The element of blocks without data, which take no room.
  std::span<const std::byte> fill() const { return options_.fill; }

  /// Writes the object of a task; if the block holds only fill, a marker.
  void write(std::int64_t task, const Block& block, Arena& arena,
             Pulse::Task& pulse, StageReport& report) const;

  /// Reads the ranges of one block from all objects that it touches. Takes
  /// memory for the ranges in flight, or for decoding, from the arena and gives
  /// it back.
  void read(Block& block, Arena& arena, Pulse::Task& pulse,
            StageReport& report) const;

  /// True if the object of a task exists; a raw one must have its full size.
  bool has(std::int64_t task) const;
  /// Removes the objects of tasks first to stop - 1.
  void erase(std::int64_t first, std::int64_t stop) const;

 private:
  struct Range;
  Range range_between(const Shape& writer, const Shape& reader,
                      const Region& region) const;
  void read_in_window(const Region& writers, const Shape& reader, Block& block,
                      Arena& arena, Pulse::Task& pulse,
                      StageReport& report) const;
  void take_range(const Range& range, const ReadRequest& request,
                  bool scattered, Block& block, StageReport& report) const;
  std::int64_t write_raw(const std::string& key, const Block& block,
                         Pulse::Task& pulse) const;
  std::int64_t write_coded(const std::string& key, const Block& block,
                           Arena& arena, Pulse::Task& pulse) const;
  bool may_be_coded(const Region& object) const;
  std::int64_t largest_piece_bytes(const Region& region) const;
  std::int64_t piece_count(const Region& part) const;
  bool read_coded(const Range& range, Block& block, Arena& arena,
                  StageReport& report) const;
  bool is_marker(const Range& range, std::int64_t object_bytes) const;
  void read_patiently(const Range& range, Block& block, Arena& arena,
                      StageReport& report) const;
  void read_range(const Range& range, Block& block, Arena& arena,
                  StageReport& report) const;
  template <class Visit>
  void for_each_piece(const Region& part, Visit&& visit) const;
  std::int64_t bytes_of(const Region& region) const;
  Region range_of(const Region& object, const Shape& reader) const;
  bool scatter(const Range& range, Block& block, ReadRequest& request) const;
  void put_pieces(const Range& range, std::span<const std::byte> bytes,
                  Block& block) const;
  std::string key(std::int64_t task) const;
  double seconds() const;

  std::shared_ptr<Store> store_;
  Options options_;
  TaskGrid tasks_;
  Grid objects_;
  CodecChain codec_;  ///< Of coded objects.
  std::shared_ptr<CodingChoice> choice_;
};

}  // namespace rechunk

// A block of elements in memory, filled by a reader and emptied cell by cell.
// Borrows its memory. Used by one thread, but parts that do not overlap may be
// put by several.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "plan/block_layout.h"
#include "zarr/array_reader.h"

namespace rechunk {

class Block final : public RegionSink {
 public:
  /// Requires: `memory` holds layout.bytes(); its contents may be anything.
  /// `spare`: what holds nothing yet, `memory` and what follows it.
  Block(BlockLayout layout, std::span<std::byte> memory,
        std::span<std::byte> spare = {})
      : layout_(std::move(layout)), memory_(memory), spare_(spare) {}

  const BlockLayout& layout() const { return layout_; }
  std::span<std::byte> memory() const { return memory_; }

  std::byte* place(const Region& part,
                   const std::vector<int>& axis_order) override;
  void put(const Region& part, const std::byte* data,
           const Shape& strides) override;
  void put_fill(const Region& part,
                std::span<const std::byte> element) override;
  std::span<std::byte> spare(const Region& region, std::int64_t bytes) override;

  /// Fills the cells that reach beyond the block: their padding must not be
  /// what was in memory before.
  void fill_padding(std::span<const std::byte> element);

  /// False as long as nothing but fill was put.
  bool has_data() const { return has_data_; }
  /// Says that data was read into what `place` gave.
  void note_data() {
    std::atomic_ref(has_data_).store(true, std::memory_order_relaxed);
  }

  /// Memory of one cell of a block of chunks.
  std::span<std::byte> chunk(const Shape& coordinates) const;

 private:
  BlockLayout layout_;
  std::span<std::byte> memory_, spare_;
  bool has_data_ = false;
};

}  // namespace rechunk

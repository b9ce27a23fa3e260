// A block of elements in memory. A reader fills it, and it is written cell by
// cell. Borrows its memory. Used by one thread, but several threads may fill
// parts that do not overlap.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "plan/block_layout.h"
#include "zarr/chunks/array_reader.h"

namespace rechunk {

class Block final : public RegionSink {
 public:
  /// Requires: `memory` holds layout.bytes(), with any content. `spare`: memory
  /// without content: `memory` and the bytes after it.
  Block(BlockLayout layout, std::span<std::byte> memory,
        std::span<std::byte> spare = {})
      : layout_(std::move(layout)), memory_(memory), spare_(spare) {}

  const BlockLayout& layout() const { return layout_; }
  std::span<std::byte> memory() const { return memory_; }

  std::byte* place(const Region& part,
                   const std::vector<int>& axis_order) override;
  void put(const Region& part, const std::byte* data,
           const Shape& strides) override;
  /// May be put off until `settle`. Requires: the same element each time.
  void put_fill(const Region& part,
                std::span<const std::byte> element) override;
  std::span<std::byte> spare(const Region& region, std::int64_t bytes) override;

  /// Fills the padding of cells that reach beyond the block, so that no old
  /// memory is written.
  void fill_padding(std::span<const std::byte> element);

  /// Ends the reading: writes fill that was put off. If only fill with the
  /// element `left_out` came (may be empty), the memory has no valid content
  /// and there are no chunks.
  void settle(std::span<const std::byte> left_out);

  /// False as long as nothing but fill was put.
  bool has_data() const {
    return std::atomic_ref(has_data_).load(std::memory_order_relaxed);
  }
  /// Says that data was read into what `place` gave.
  void note_data() {
    std::atomic_ref(has_data_).store(true, std::memory_order_relaxed);
  }

  /// Memory of one cell of a block of chunks; empty if all are left out.
  std::span<std::byte> chunk(const Shape& coordinates) const;

 private:
  // Fill that came before any data: often, no data ever comes.
  struct PutOff {
    std::mutex mutex;
    std::vector<Region> parts;
    std::vector<std::byte> element;
  };
  bool put_off(const Region& part, std::span<const std::byte> element);
  void fill(const Region& part, std::span<const std::byte> element);

  BlockLayout layout_;
  std::span<std::byte> memory_, spare_;
  std::unique_ptr<PutOff> put_off_ = std::make_unique<PutOff>();
  mutable bool has_data_ = false;
  bool left_out_ = false;
};

}  // namespace rechunk

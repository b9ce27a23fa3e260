// How the elements of one block lie in memory while a task holds it. Pure.
//
// A block is a region cut into cells by a grid of units. Cells follow each
// other in memory, so that each can be written (encoded, or as a piece of a
// packed object) without another copy. Elements of a cell are contiguous in
// `axis_order`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "plan/packed_layout.h"
#include "rechunk/shape.h"

namespace rechunk {

class BlockLayout {
 public:
  /// One cell of a block.
  struct Cell {
    Region region;            ///< Its elements within the block.
    std::int64_t offset = 0;  ///< First byte, from the block's first.
    Shape strides;            ///< Bytes per step of each axis.
  };

  /// Cells of equal extent that lie at equal distances, so that one copy serves
  /// them all.
  struct CellGroup {
    Region part;              ///< Of the first cell: the elements asked for.
    std::int64_t offset = 0;  ///< First byte of `part`.
    Shape counts;             ///< Cells along each axis.
    Shape cell_strides;       ///< Bytes from a cell to the next on each axis.
    Shape strides;            ///< Bytes per step of each axis within a cell.
  };

  /// A block of whole chunks: every cell has the full size of a chunk, also
  /// where the array ends within it.
  static BlockLayout of_chunks(const Region& region, const Shape& chunk,
                               const std::vector<int>& axis_order,
                               std::int64_t item_bytes);

  /// A packed object: cells are clipped, and ordered as `packed` says.
  static BlockLayout of_pieces(const Region& region, const PackedLayout& packed,
                               const std::vector<int>& axis_order,
                               std::int64_t item_bytes);

  const Region& region() const { return region_; }
  std::int64_t bytes() const { return bytes_; }
  std::int64_t item_bytes() const { return item_bytes_; }
  const std::vector<int>& axis_order() const { return axis_order_; }
  const Shape& units() const { return units_; }

  /// Coordinates of the cells that share elements with `part`.
  Region cells_touching(const Region& part) const;
  Cell cell(const Shape& coordinates) const;

  /// Visits the groups of cells that make up `part`: few, however many cells.
  void for_each_group(const Region& part,
                      const std::function<void(const CellGroup&)>& visit) const;

  /// Byte offset of `part` if it lies in one cell without gaps, in axis order.
  std::optional<std::int64_t> contiguous_offset(const Region& part) const;

 private:
  std::vector<std::int64_t> segments(const Region& part, const Region& cells,
                                     std::size_t axis) const;
  /// Sets a cell of this layout to another one.
  void locate(const Shape& coordinates, Cell& cell) const;
  std::int64_t offset(const Shape& coordinates) const;
  /// `cells` comes back as it was.
  void set_group(const Region& part, Region& cells, const Cell& first,
                 CellGroup& group) const;

  Region region_;
  Shape units_;
  Region cells_;  ///< All cells of the block.
  std::optional<PackedLayout> packed_;
  std::vector<int> axis_order_;
  std::int64_t item_bytes_ = 1;
  std::int64_t unit_bytes_ = 0;  ///< of_chunks: bytes of every cell.
  Shape unit_strides_;           ///< of_chunks: strides of every cell.
  std::int64_t bytes_ = 0;
};

}  // namespace rechunk

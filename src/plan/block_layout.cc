#include "plan/block_layout.h"

#include <algorithm>

#include "base/strided_copy.h"

namespace rechunk {
namespace {

Region touching(const Region& region, const Shape& units) {
  return boxes_touching(region, Shape(units.size(), 0), units);
}

}  // namespace

BlockLayout BlockLayout::of_chunks(const Region& region, const Shape& chunk,
                                   const std::vector<int>& axis_order,
                                   std::int64_t item_bytes) {
  BlockLayout layout;
  layout.region_ = region;
  layout.units_ = chunk;
  layout.cells_ = touching(region, chunk);
  layout.axis_order_ = axis_order;
  layout.item_bytes_ = item_bytes;
  layout.unit_bytes_ = checked_multiply(element_count(chunk), item_bytes);
  layout.unit_strides_ = contiguous_strides(chunk, axis_order, item_bytes);
  layout.bytes_ =
      checked_multiply(element_count(layout.cells_), layout.unit_bytes_);
  return layout;
}

BlockLayout BlockLayout::of_pieces(const Region& region,
                                   const PackedLayout& packed,
                                   const std::vector<int>& axis_order,
                                   std::int64_t item_bytes) {
  BlockLayout layout;
  layout.region_ = region;
  layout.units_ = packed.units;
  layout.cells_ = touching(region, packed.units);
  layout.packed_ = packed;
  layout.axis_order_ = axis_order;
  layout.item_bytes_ = item_bytes;
  layout.bytes_ = checked_multiply(element_count(region), item_bytes);
  return layout;
}

Region BlockLayout::cells_touching(const Region& part) const {
  return touching(intersect(part, region_), units_);
}

BlockLayout::Cell BlockLayout::cell(const Shape& coordinates) const {
  Cell cell{region_, 0, packed_ ? units_ : unit_strides_};
  locate(coordinates, cell);
  return cell;
}

void BlockLayout::locate(const Shape& coordinates, Cell& cell) const {
  for (std::size_t axis = 0; axis < units_.size(); ++axis) {
    const std::int64_t start = coordinates[axis] * units_[axis];
    cell.region.start[axis] = std::max(start, region_.start[axis]);
    // Not start + unit: a chunk may be longer than 2^63 less its start.
    cell.region.stop[axis] = region_.stop[axis] - start < units_[axis]
                                 ? region_.stop[axis]
                                 : start + units_[axis];
  }
  cell.offset = offset(coordinates);
  if (!packed_) return;
  std::int64_t stride = item_bytes_;
  for (std::size_t place = axis_order_.size(); place-- > 0;) {
    const int axis = axis_order_[place];
    cell.strides[axis] = stride;
    stride *= cell.region.stop[axis] - cell.region.start[axis];
  }
}

std::int64_t BlockLayout::offset(const Shape& coordinates) const {
  if (packed_) return packed_->piece_offset(region_, coordinates) * item_bytes_;
  std::int64_t index = 0;
  for (std::size_t axis = 0; axis < units_.size(); ++axis)
    index = index * (cells_.stop[axis] - cells_.start[axis]) +
            (coordinates[axis] - cells_.start[axis]);
  return index * unit_bytes_;
}

// Cuts the cells along one axis into runs of equal cells. Returns the first
// cell of each run, and the end.
std::vector<std::int64_t> BlockLayout::segments(const Region& part,
                                                const Region& cells,
                                                std::size_t axis) const {
  const std::int64_t unit = units_[axis];
  const std::int64_t first = cells.start[axis], stop = cells.stop[axis];
  std::vector<std::int64_t> firsts{first};
  const auto cut = [&](std::int64_t cell) {
    if (cell > firsts.back() && cell < stop) firsts.push_back(cell);
  };
  // A part may begin or end inside a cell. Such cells differ from the others.
  if (part.start[axis] > first * unit) cut(first + 1);
  // From a block to the next, packed cells are not at equal distances.
  if (packed_ && packed_->blocks != packed_->units)
    for (std::int64_t block = ceil_div(packed_->blocks[axis], unit),
                      cell = first;
         cell < stop; cell = (cell / block + 1) * block)
      cut(cell);
  if (part.stop[axis] < stop * unit) cut(stop - 1);
  firsts.push_back(stop);
  return firsts;
}

// The same objects serve all groups. If a chunk goes to many cells, allocating
// took longer than copying.
void BlockLayout::for_each_group(
    const Region& part,
    const std::function<void(const CellGroup&)>& visit) const {
  const Region cells = cells_touching(part);
  if (cells.empty()) return;
  std::vector<std::vector<std::int64_t>> cuts;
  Region choices = cells;  // Which segment of each axis.
  for (std::size_t axis = 0; axis < units_.size(); ++axis) {
    cuts.push_back(segments(part, cells, axis));
    choices.start[axis] = 0;
    choices.stop[axis] = static_cast<std::int64_t>(cuts[axis].size()) - 1;
  }
  Region chosen = cells;
  Cell first = cell(cells.start);
  CellGroup group{part, 0, units_, units_, first.strides};
  for_each_point(choices, [&](const Shape& choice) {
    for (std::size_t axis = 0; axis < units_.size(); ++axis) {
      const auto at = static_cast<std::size_t>(choice[axis]);
      chosen.start[axis] = cuts[axis][at];
      chosen.stop[axis] = cuts[axis][at + 1];
    }
    locate(chosen.start, first);
    set_group(part, chosen, first, group);
    visit(group);
  });
}

// The group of these cells, which are equal on every axis.
void BlockLayout::set_group(const Region& part, Region& cells,
                            const Cell& first, CellGroup& group) const {
  group.offset = first.offset;
  group.strides = first.strides;
  for (std::size_t axis = 0; axis < units_.size(); ++axis) {
    const std::int64_t start =
        std::max(part.start[axis], first.region.start[axis]);
    group.part.start[axis] = start;
    group.part.stop[axis] =
        std::max(start, std::min(part.stop[axis], first.region.stop[axis]));
    group.offset += (start - first.region.start[axis]) * first.strides[axis];
    group.counts[axis] = cells.stop[axis] - cells.start[axis];
    group.cell_strides[axis] = 0;
    if (group.counts[axis] < 2) continue;
    // From the neighbour's offset, because packed cells have no fixed size.
    ++cells.start[axis];
    group.cell_strides[axis] = offset(cells.start) - first.offset;
    --cells.start[axis];
  }
}

std::optional<std::int64_t> BlockLayout::contiguous_offset(
    const Region& part) const {
  const Region cells = cells_touching(part);
  if (element_count(cells) != 1) return std::nullopt;
  const Cell found = cell(cells.start);
  const Shape extent = part.extent();
  if (!is_contiguous(extent, found.strides, axis_order_, item_bytes_))
    return std::nullopt;
  std::int64_t offset = found.offset;
  for (std::size_t axis = 0; axis < extent.size(); ++axis)
    offset +=
        (part.start[axis] - found.region.start[axis]) * found.strides[axis];
  return offset;
}

}  // namespace rechunk

#include "exec/block.h"

#include <algorithm>
#include <utility>

#include "base/strided_copy.h"

namespace rechunk {
namespace {

// The budget does not count these parts, so there must be few.
constexpr std::size_t kMostPutOff = 1024;  // A part takes about 150 bytes.

// The axes of one copy: cells, then the elements within each. The object is
// used for all groups, so that none allocates.
struct GroupAxes {
  Shape extent, strides, source_strides;

  void set(const BlockLayout::CellGroup& group) {
    extent = group.counts;
    for (std::size_t axis = 0; axis < group.counts.size(); ++axis)
      extent.push_back(group.part.stop[axis] - group.part.start[axis]);
    strides = group.cell_strides;
    strides.insert(strides.end(), group.strides.begin(), group.strides.end());
  }

  void set_source(const Shape& units, const Shape& element_strides) {
    source_strides.clear();
    for (std::size_t axis = 0; axis < units.size(); ++axis)
      source_strides.push_back(
          // A unit may be so long that the product overflows. With one cell
          // nobody uses the stride.
          extent[axis] > 1 ? element_strides[axis] * units[axis] : 0);
    source_strides.insert(source_strides.end(), element_strides.begin(),
                          element_strides.end());
  }
};

}  // namespace

std::byte* Block::place(const Region& part,
                        const std::vector<int>& axis_order) {
  if (axis_order != layout_.axis_order()) return nullptr;
  const auto offset = layout_.contiguous_offset(part);
  return offset ? memory_.data() + *offset : nullptr;
}

void Block::put(const Region& part, const std::byte* data,
                const Shape& strides) {
  note_data();
  GroupAxes axes;
  layout_.for_each_group(part, [&](const BlockLayout::CellGroup& group) {
    std::byte* target = memory_.data() + group.offset;
    const std::byte* source = byte_at(data, part, group.part, strides);
    // `place` gave this memory, and the elements were decoded into it.
    if (target == source) return;
    axes.set(group);
    axes.set_source(layout_.units(), strides);
    strided_copy(axes.extent, layout_.item_bytes(), target, axes.strides,
                 source, axes.source_strides);
  });
}

void Block::put_fill(const Region& part, std::span<const std::byte> element) {
  if (!put_off(part, element)) fill(part, element);
}

bool Block::put_off(const Region& part, std::span<const std::byte> element) {
  // Another thread may put data right after this look. `settle` fills this part
  // nevertheless.
  if (has_data()) return false;
  const std::lock_guard lock(put_off_->mutex);
  if (put_off_->parts.size() == kMostPutOff) return false;
  put_off_->parts.push_back(part);
  put_off_->element.assign(element.begin(), element.end());
  return true;
}

void Block::settle(std::span<const std::byte> left_out) {
  // All readers have returned, so nobody else uses this.
  auto& [mutex, parts, element] = *put_off_;
  left_out_ = !has_data() && !parts.empty() &&
              std::equal(element.begin(), element.end(), left_out.begin(),
                         left_out.end());
  if (!left_out_)
    for (const Region& part : parts) fill(part, element);
  parts.clear();
}

void Block::fill(const Region& part, std::span<const std::byte> element) {
  GroupAxes axes;
  layout_.for_each_group(part, [&](const BlockLayout::CellGroup& group) {
    axes.set(group);
    strided_fill(axes.extent, memory_.data() + group.offset, axes.strides,
                 element);
  });
}

std::span<std::byte> Block::spare(const Region& region, std::int64_t bytes) {
  // Other readers of the block may have put their elements already. So only a
  // reader of the whole block gets memory.
  const bool enough = std::cmp_less_equal(bytes, spare_.size());
  return enough && region == layout_.region() ? spare_ : std::span<std::byte>();
}

void Block::fill_padding(std::span<const std::byte> element) {
  const Region& region = layout_.region();
  Region cells = layout_.cells_touching(region);
  for_each_point(cells, [&](const Shape& coordinates) {
    bool clipped = false;
    for (std::size_t axis = 0; axis < coordinates.size(); ++axis)
      // Blocks begin at a chunk, so only the last cell of an axis is clipped.
      clipped |= coordinates[axis] + 1 == cells.stop[axis] &&
                 layout_.cell(coordinates).region.extent()[axis] !=
                     layout_.units()[axis];
    if (clipped) fill_elements(chunk(coordinates), element);
  });
}

std::span<std::byte> Block::chunk(const Shape& coordinates) const {
  if (left_out_) return {};
  const BlockLayout::Cell cell = layout_.cell(coordinates);
  const std::int64_t bytes =
      element_count(layout_.units()) * layout_.item_bytes();
  return memory_.subspan(static_cast<std::size_t>(cell.offset),
                         static_cast<std::size_t>(bytes));
}

}  // namespace rechunk

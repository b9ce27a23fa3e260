#include "plan/block_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/strided_copy.h"

namespace rechunk {
namespace {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

struct Case {
  Shape shape, units, blocks;
  Region region;
  std::vector<int> axis_order;
  std::int64_t item_bytes = 1;
};

Case random_case(Random& random, bool aligned) {
  Case one;
  for (std::int64_t axis = pick(random, 0, 4); axis > 0; --axis) {
    one.shape.push_back(pick(random, 1, 14));
    one.units.push_back(pick(random, 1, 6));
    one.blocks.push_back(one.units.back() * pick(random, 1, 3));
    const std::int64_t step = aligned ? one.units.back() : 1;
    const std::int64_t start = pick(random, 0, (one.shape.back() - 1) / step);
    one.region.start.push_back(start * step);
    const std::int64_t steps = ceil_div(one.shape.back() - start * step, step);
    one.region.stop.push_back(
        std::min(one.shape.back(), (start + pick(random, 1, steps)) * step));
  }
  one.axis_order = c_order(static_cast<int>(one.shape.size()));
  std::shuffle(one.axis_order.begin(), one.axis_order.end(), random);
  one.item_bytes = pick(random, 1, 9);
  return one;
}

// First byte of an element, found by its cell.
std::int64_t offset_of(const BlockLayout& layout, const Shape& element) {
  Region point{element, element};
  for (std::int64_t& stop : point.stop) ++stop;
  const Region cells = layout.cells_touching(point);
  EXPECT_EQ(element_count(cells), 1);
  const BlockLayout::Cell cell = layout.cell(cells.start);
  EXPECT_TRUE(cell.region.contains(point));
  std::int64_t offset = cell.offset;
  for (std::size_t axis = 0; axis < element.size(); ++axis)
    offset += (element[axis] - cell.region.start[axis]) * cell.strides[axis];
  return offset;
}

// Each element has bytes of its own; returns how many bytes have no element.
std::int64_t check_places(const BlockLayout& layout) {
  std::vector<bool> taken(static_cast<std::size_t>(layout.bytes()));
  std::int64_t left = layout.bytes();
  for_each_point(layout.region(), [&](const Shape& element) {
    const std::int64_t first = offset_of(layout, element);
    for (std::int64_t byte = 0; byte < layout.item_bytes(); ++byte, --left) {
      ASSERT_LT(first + byte, layout.bytes());
      ASSERT_FALSE(taken[first + byte]);
      taken[first + byte] = true;
    }
  });
  return left;
}

// What `contiguous_offset` promises: the part's elements follow each other, in
// axis order, from there on.
void check_contiguous(const BlockLayout& layout, const Region& part) {
  const auto offset = layout.contiguous_offset(part);
  if (!offset) return;
  const Shape strides = contiguous_strides(part.extent(), layout.axis_order(),
                                           layout.item_bytes());
  for_each_point(part, [&](const Shape& element) {
    std::int64_t expected = *offset;
    for (std::size_t axis = 0; axis < element.size(); ++axis)
      expected += (element[axis] - part.start[axis]) * strides[axis];
    ASSERT_EQ(offset_of(layout, element), expected);
  });
}

Region random_part(Random& random, const Region& region) {
  Region part = region;
  for (std::size_t axis = 0; axis < part.start.size(); ++axis) {
    part.start[axis] = pick(random, region.start[axis], region.stop[axis] - 1);
    part.stop[axis] = pick(random, part.start[axis] + 1, region.stop[axis]);
  }
  return part;
}

TEST(BlockLayout, OfChunksHoldsWholeChunksOneAfterTheOther) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Case one = random_case(random, true);
    const BlockLayout layout = BlockLayout::of_chunks(
        one.region, one.units, one.axis_order, one.item_bytes);
    const Region cells = layout.cells_touching(one.region);
    const std::int64_t chunk_bytes = element_count(one.units) * one.item_bytes;
    EXPECT_EQ(layout.bytes(), element_count(cells) * chunk_bytes);
    EXPECT_EQ(check_places(layout),
              layout.bytes() - element_count(one.region) * one.item_bytes);
    std::int64_t at = 0;
    for_each_point(cells, [&](const Shape& cell) {
      ASSERT_EQ(layout.cell(cell).offset, at);
      ASSERT_EQ(layout.cell(cell).strides,
                contiguous_strides(one.units, one.axis_order, one.item_bytes));
      at += chunk_bytes;
    });
    for (int part = 0; part < 10; ++part)
      check_contiguous(layout, random_part(random, one.region));
    if (HasFatalFailure()) return;
  }
}

TEST(BlockLayout, OfPiecesHoldsItsElementsWithoutGaps) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Case one = random_case(random, false);
    const BlockLayout layout = BlockLayout::of_pieces(
        one.region, {one.blocks, one.units}, one.axis_order, one.item_bytes);
    EXPECT_EQ(layout.bytes(), element_count(one.region) * one.item_bytes);
    EXPECT_EQ(check_places(layout), 0);
    for (int part = 0; part < 10; ++part)
      check_contiguous(layout, random_part(random, one.region));
    // A whole piece always lies in one run: that is what pieces are for.
    for_each_point(layout.cells_touching(one.region), [&](const Shape& cell) {
      const BlockLayout::Cell piece = layout.cell(cell);
      ASSERT_EQ(layout.contiguous_offset(piece.region), piece.offset);
    });
    if (HasFatalFailure()) return;
  }
}

TEST(BlockLayout, FindsNoSingleRunAcrossCells) {
  const BlockLayout layout =
      BlockLayout::of_chunks(whole({4, 4}), {2, 2}, {0, 1}, 1);
  EXPECT_EQ(layout.contiguous_offset({{2, 2}, {4, 4}}), 12);
  EXPECT_EQ(layout.contiguous_offset({{1, 0}, {2, 2}}), 2);
  EXPECT_EQ(layout.contiguous_offset({{0, 0}, {2, 1}}), std::nullopt);
  EXPECT_EQ(layout.contiguous_offset({{0, 1}, {1, 3}}), std::nullopt);
}

TEST(BlockLayout, RefusesChunksWhoseSizeOverflows) {
  EXPECT_ANY_THROW(
      BlockLayout::of_chunks(whole({4, 4}), {1LL << 40, 1LL << 40}, {0, 1}, 8));
}

}  // namespace
}  // namespace rechunk

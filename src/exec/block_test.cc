#include "exec/block.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/strided_copy.h"
#include "zarr/chunks/testing.h"

namespace rechunk {
namespace {

constexpr std::byte kUntouched{0xee};

struct Fixture {
  Fixture(const Shape& shape, const Shape& chunk, std::int64_t item_bytes)
      : layout(BlockLayout::of_chunks({Shape(shape.size(), 0), shape}, chunk,
                                      c_order(static_cast<int>(shape.size())),
                                      item_bytes)),
        memory(static_cast<std::size_t>(layout.bytes()), kUntouched),
        block(layout, memory) {}

  std::vector<std::byte> element_at(const Shape& point) const {
    Shape coordinates = point;
    for (std::size_t axis = 0; axis < point.size(); ++axis)
      coordinates[axis] /= layout.units()[axis];
    const BlockLayout::Cell cell = layout.cell(coordinates);
    const std::byte* from = byte_at(memory.data() + cell.offset, cell.region,
                                    Region{point, point}, cell.strides);
    return {from, from + layout.item_bytes()};
  }

  bool untouched() const {
    return std::all_of(memory.begin(), memory.end(),
                       [](std::byte value) { return value == kUntouched; });
  }

  BlockLayout layout;
  std::vector<std::byte> memory;
  Block block;
};

TEST(Block, TakesFillAndDataInAnyOrder) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto rank = static_cast<std::size_t>(pick(random, 0, 3));
    Shape shape, chunk, part;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      shape.push_back(pick(random, 1, 12));
      chunk.push_back(pick(random, 1, shape.back() + 2));
      part.push_back(pick(random, 1, shape.back()));
    }
    const std::int64_t item_bytes = pick(random, 1, 9);
    Fixture fixture(shape, chunk, item_bytes);
    const std::vector<std::byte> fill(static_cast<std::size_t>(item_bytes),
                                      std::byte{7});
    const std::vector<std::byte> data(static_cast<std::size_t>(item_bytes),
                                      std::byte{9});
    const Grid parts(shape, part);
    std::vector<bool> filled;
    const std::int64_t fill_percent = pick(random, 0, 100);
    for_each_point(parts.cells_touching(fixture.layout.region()),
                   [&](const Shape& coordinates) {
                     const Region region = parts.cell(coordinates);
                     filled.push_back(pick(random, 0, 99) < fill_percent);
                     if (filled.back())
                       fixture.block.put_fill(region, fill);
                     else
                       fixture.block.put(region, data.data(), Shape(rank, 0));
                   });
    fixture.block.settle({});
    EXPECT_EQ(fixture.block.has_data(),
              std::find(filled.begin(), filled.end(), false) != filled.end());
    for_each_point(fixture.layout.region(), [&](const Shape& point) {
      Shape coordinates = point;
      for (std::size_t axis = 0; axis < rank; ++axis)
        coordinates[axis] /= part[axis];
      const auto number = static_cast<std::size_t>(parts.index(coordinates));
      ASSERT_EQ(fixture.element_at(point), filled[number] ? fill : data);
    });
  }
}

TEST(Block, PutsNoFillWhereNothingElseComes) {
  const std::vector<std::byte> fill(2, std::byte{7}), other(2, std::byte{8});
  Fixture fixture({5, 4}, {2, 3}, 2);
  fixture.block.put_fill({{0, 0}, {5, 2}}, fill);
  fixture.block.put_fill({{0, 2}, {5, 4}}, fill);
  fixture.block.settle(fill);
  EXPECT_TRUE(fixture.block.chunk({0, 0}).empty());
  EXPECT_TRUE(fixture.untouched());

  for (const std::vector<std::byte>& left_out : {other, {}}) {
    Fixture wanted({5, 4}, {2, 3}, 2);
    wanted.block.put_fill({{0, 0}, {5, 4}}, fill);
    wanted.block.settle(left_out);
    EXPECT_EQ(wanted.block.chunk({0, 0}).size(), 12U);
    EXPECT_EQ(wanted.element_at({4, 3}), fill);
    EXPECT_FALSE(wanted.block.has_data());
  }
}

TEST(Block, TakesAnyNumberOfPartsOfFill) {
  constexpr std::int64_t kParts = 5000;
  const std::vector<std::byte> fill(1, std::byte{7}), data(1, std::byte{9});
  for (const bool ends_with_data : {false, true}) {
    Fixture fixture({kParts}, {100}, 1);
    for (std::int64_t at = 0; at + 1 < kParts; ++at)
      fixture.block.put_fill({{at}, {at + 1}}, fill);
    const Region last{{kParts - 1}, {kParts}};
    if (ends_with_data)
      fixture.block.put(last, data.data(), {0});
    else
      fixture.block.put_fill(last, fill);
    fixture.block.settle(fill);
    EXPECT_EQ(fixture.block.chunk({0}).empty(), !ends_with_data);
    if (!ends_with_data) continue;
    for (std::int64_t at = 0; at < kParts; ++at)
      ASSERT_EQ(fixture.element_at({at}), at + 1 < kParts ? fill : data);
  }
}

}  // namespace
}  // namespace rechunk

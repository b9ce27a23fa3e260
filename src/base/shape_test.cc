#include "rechunk/shape.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>

#include "rechunk/error.h"

namespace rechunk {
namespace {

using Random = std::mt19937_64;

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

bool holds(const Region& region, const Shape& point) {
  for (std::size_t axis = 0; axis < point.size(); ++axis)
    if (point[axis] < region.start[axis] || point[axis] >= region.stop[axis])
      return false;
  return true;
}

Region random_region(Random& random, const Shape& shape) {
  Region region = whole(shape);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    region.start[axis] = pick(random, 0, shape[axis]);
    region.stop[axis] = pick(random, region.start[axis], shape[axis]);
  }
  return region;
}

TEST(Grid, CellsTileAnyArrayAndAreNumberedRowByRow) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Shape shape, cell_shape;
    for (std::int64_t axis = pick(random, 0, 4); axis > 0; --axis) {
      shape.push_back(pick(random, 0, 9));
      cell_shape.push_back(pick(random, 1, 12));
    }
    const Grid grid(shape, cell_shape);
    std::set<Shape> seen;
    Shape previous;
    for (std::int64_t index = 0; index < grid.cell_count(); ++index) {
      const Shape coordinates = grid.coordinates(index);
      ASSERT_EQ(grid.index(coordinates), index);
      ASSERT_TRUE(index == 0 || previous < coordinates);
      previous = coordinates;
      for_each_point(grid.cell(index), [&](const Shape& point) {
        ASSERT_TRUE(seen.insert(point).second);
        ASSERT_TRUE(holds(whole(shape), point));
      });
    }
    ASSERT_EQ(static_cast<std::int64_t>(seen.size()), element_count(shape));
  }
}

TEST(Grid, FindsExactlyTheCellsThatShareElementsWithARegion) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Shape shape, cell_shape;
    for (std::int64_t axis = pick(random, 0, 3); axis > 0; --axis) {
      shape.push_back(pick(random, 1, 14));
      cell_shape.push_back(pick(random, 1, 6));
    }
    const Grid grid(shape, cell_shape);
    const Region region = random_region(random, shape);
    const Region touched = grid.cells_touching(region);
    for_each_point(whole(grid.counts()), [&](const Shape& cell) {
      ASSERT_EQ(!region.empty() && holds(touched, cell),
                !intersect(grid.cell(cell), region).empty());
    });
  }
}

TEST(Region, IntersectionHoldsThePointsOfBoth) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Shape shape;
    for (std::int64_t axis = pick(random, 0, 3); axis > 0; --axis)
      shape.push_back(pick(random, 1, 8));
    const Region a = random_region(random, shape);
    const Region b = random_region(random, shape);
    const Region shared = intersect(a, b);
    std::int64_t points = 0;
    for_each_point(whole(shape), [&](const Shape& point) {
      ASSERT_EQ(holds(shared, point), holds(a, point) && holds(b, point));
      points += holds(shared, point);
    });
    EXPECT_EQ(shared.empty(), points == 0);
    EXPECT_EQ(element_count(shared), points);
    EXPECT_TRUE(shared.empty() || (a.contains(shared) && b.contains(shared)));
  }
}

TEST(Region, OfNoDimensionsIsOnePoint) {
  const Region point = whole({});
  EXPECT_FALSE(point.empty());
  EXPECT_EQ(element_count(point), 1);
  int visits = 0;
  for_each_point(point, [&](const Shape& at) { visits += at.empty(); });
  EXPECT_EQ(visits, 1);
  EXPECT_EQ(Grid({}, {}).cell_count(), 1);
  EXPECT_EQ(to_string(Shape{}), "()");
}

TEST(Shape, CountsAreCheckedForOverflow) {
  EXPECT_EQ(element_count(Shape{3, 0, kLargest, kLargest}), 0);
  EXPECT_EQ(element_count(Shape{kLargest, 1}), kLargest);
  EXPECT_THROW(element_count(Shape{kLargest, 2}), Error);
  EXPECT_THROW(element_count(Shape{1LL << 32, 1LL << 31}), Error);
  EXPECT_THROW(element_count(Shape{4, -1}), Error);
  EXPECT_THROW(checked_add(kLargest, 1), Error);
  EXPECT_THROW(checked_multiply(-1, 0), Error);
  EXPECT_EQ(checked_add(kLargest - 1, 1), kLargest);
}

TEST(Shape, ClippedBoxesOfHugeChunksDoNotOverflow) {
  const Region box = clipped_box({5}, {kLargest}, {9});
  EXPECT_EQ(box, (Region{{5}, {9}}));
  EXPECT_EQ(Grid({9}, {kLargest}).cell(0), (Region{{0}, {9}}));
  EXPECT_EQ(ceil_div(kLargest, 1), kLargest);
  EXPECT_EQ(ceil_div(kLargest, kLargest), 1);
}

TEST(Shape, IsWrittenAsPythonWritesIt) {
  EXPECT_EQ(to_string(Shape{7}), "(7,)");
  EXPECT_EQ(to_string(Shape{2000, 361, 720}), "(2000, 361, 720)");
}

}  // namespace
}  // namespace rechunk

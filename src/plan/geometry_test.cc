#include "plan/geometry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "plan/cuts.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Random = std::mt19937_64;

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

TEST(Geometry, LeastCommonMultiplesStopAtTheLimit) {
  for (std::int64_t a = 1; a < 40; ++a)
    for (std::int64_t b = 1; b < 40; ++b)
      for (const std::int64_t limit : {1, 7, 100, 10000})
        ASSERT_EQ(lcm_up_to(a, b, limit), std::min(limit, std::lcm(a, b)));
  EXPECT_EQ(lcm_up_to(kLargest, kLargest - 1, kLargest), kLargest);
  EXPECT_EQ(lcm_up_to(1LL << 61, 3, 100), 100);
}

TEST(Geometry, OverlappingPairsAreThoseThatALoopFinds) {
  for (std::int64_t length = 0; length < 30; ++length)
    for (std::int64_t a = 1; a < 34; ++a)
      for (std::int64_t b = 1; b < 34; ++b) {
        const Grid ones({length}, {a}), others({length}, {b});
        std::int64_t pairs = 0;
        for (std::int64_t one = 0; one < ones.cell_count(); ++one)
          pairs += element_count(others.cells_touching(ones.cell(one)));
        ASSERT_EQ(overlapping_pairs(length, a, b), pairs)
            << length << " " << a << " " << b;
      }
}

TEST(Geometry, PairsWithAShortFirstPieceAreThoseThatALoopFinds) {
  for (std::int64_t length = 0; length < 24; ++length)
    for (std::int64_t first = 0; first <= length; ++first)
      for (std::int64_t step = 1; step < 28; ++step)
        for (std::int64_t piece = 1; piece < 28; ++piece) {
          std::int64_t pairs = length > 0;
          for (std::int64_t cut = 1; cut < length; ++cut)
            pairs +=
                cut % step == 0 || (cut >= first && (cut - first) % piece == 0);
          ASSERT_EQ(overlapping_pairs(length, step, Cuts{first, piece}), pairs)
              << length << " " << first << " " << step << " " << piece;
        }
}

TEST(Geometry, PairsOfLongCutsDoNotOverflow) {
  const std::int64_t half = 1LL << 61;
  EXPECT_EQ(overlapping_pairs(half, half - 1, Cuts{5, half - 3}), 3);
}

TEST(Geometry, PairsInManyDimensionsMultiply) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Shape shape, blocks, units;
    for (std::int64_t axis = pick(random, 0, 4); axis > 0; --axis) {
      shape.push_back(pick(random, 0, 12));
      blocks.push_back(pick(random, 1, 14));
      units.push_back(pick(random, 1, 14));
    }
    const Grid block_grid(shape, blocks), unit_grid(shape, units);
    std::int64_t pairs = 0;
    for (std::int64_t block = 0; block < block_grid.cell_count(); ++block)
      pairs += element_count(unit_grid.cells_touching(block_grid.cell(block)));
    EXPECT_EQ(exact_pairs(shape, blocks, units), pairs);
    EXPECT_EQ(estimated_pairs(shape, blocks, units),
              static_cast<double>(pairs));
  }
}

TEST(Geometry, ExactPairsDoNotOverflowInSilence) {
  const Shape shape(3, 1LL << 40), one(3, 1), large(3, 1LL << 40);
  EXPECT_THROW(exact_pairs(shape, one, large), Error);
  EXPECT_GT(estimated_pairs(shape, one, large), 1e36);
}

TEST(Geometry, PaddingRoundsUpToWholeUnits) {
  EXPECT_EQ(padded_elements({7, 5}, {3, 4}), 9 * 8);
  EXPECT_EQ(padded_elements({}, {}), 1);
  EXPECT_EQ(padded_elements({0, 5}, {3, 4}), 0);
  EXPECT_EQ(padded_elements({2}, {100}), 100);
}

// What the planner needs of cells: multiples of the step that no component's
// border cuts; the smallest and the largest are always there.
TEST(Geometry, CellLengthsAreMultiplesThatFitTheirComponent) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const std::int64_t length = pick(random, 1, 5000);
    const std::int64_t step = pick(random, 1, 40);
    const std::int64_t component =
        std::min(length, step * pick(random, 1, 200));
    const auto lengths = cell_lengths(length, step, component);
    ASSERT_FALSE(lengths.empty());
    EXPECT_TRUE(std::is_sorted(lengths.begin(), lengths.end()));
    EXPECT_EQ(std::adjacent_find(lengths.begin(), lengths.end()),
              lengths.end());
    EXPECT_EQ(lengths.back(), component);
    EXPECT_EQ(lengths.front(), std::min(step, component));
    for (const std::int64_t cell : lengths) {
      if (component < length) {
        ASSERT_EQ(component % cell, 0);
      }
      ASSERT_TRUE(cell % step == 0 || cell == length);
    }
  }
}

}  // namespace
}  // namespace rechunk

#include "zarr/chunks/raw_parts.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/strided_copy.h"

namespace rechunk {
namespace {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

struct Case {
  Shape shape;
  std::vector<int> order;
  std::int64_t item_bytes;
  Region region, wanted;

  explicit Case(Random& random) {
    const int rank = static_cast<int>(pick(random, 0, 4));
    order = c_order(rank);
    std::shuffle(order.begin(), order.end(), random);
    item_bytes = pick(random, 0, 3) ? pick(random, 1, 16) : 90'000;
    for (int axis = 0; axis < rank; ++axis) {
      shape.push_back(pick(random, 1, rank > 2 ? 9 : 200));
      region.start.push_back(pick(random, 0, 5));
      region.stop.push_back(region.start[axis] + pick(random, 1, shape[axis]));
      wanted.start.push_back(
          pick(random, region.start[axis], region.stop[axis] - 1));
      wanted.stop.push_back(
          pick(random, wanted.start[axis] + 1, region.stop[axis]));
    }
  }
};

// The runs of each slab are the elements of its box, in order; the parts make
// up what is wanted, once.
TEST(RawParts, SlabsHoldWhatIsWantedInOrder) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Case one(random);
    const RawChunk chunk{one.region, one.shape, one.order, one.item_bytes};
    const Shape strides =
        contiguous_strides(one.shape, one.order, one.item_bytes);
    std::int64_t delivered = 0;
    std::set<Shape> starts;
    for_each_slab(chunk, one.wanted, [&](const Slab& slab) {
      delivered += element_count(slab.part);
      ASSERT_TRUE(starts.insert(slab.part.start).second);
      ASSERT_TRUE(slab.box.contains(slab.part));
      ASSERT_TRUE(one.wanted.contains(slab.part));
      const std::int64_t bytes = element_count(slab.box) * one.item_bytes;
      ASSERT_LE(bytes, slab_bytes(chunk));
      ASSERT_EQ(slab.run_bytes * static_cast<std::int64_t>(slab.runs.size()),
                bytes);
      // Visits the box in memory order and follows the runs.
      Region ordered{Shape(one.order.size()), Shape(one.order.size())};
      for (std::size_t place = 0; place < one.order.size(); ++place) {
        ordered.start[place] = slab.box.start[one.order[place]];
        ordered.stop[place] = slab.box.stop[one.order[place]];
      }
      std::int64_t at = 0;
      for_each_point(ordered, [&](const Shape& point) {
        std::int64_t offset = 0;
        for (std::size_t place = 0; place < point.size(); ++place) {
          const int axis = one.order[place];
          offset += (point[place] - one.region.start[axis]) * strides[axis];
        }
        const auto run = static_cast<std::size_t>(at / slab.run_bytes);
        ASSERT_EQ(slab.runs[run] + at % slab.run_bytes, offset);
        at += one.item_bytes;
      });
    });
    ASSERT_EQ(delivered, element_count(one.wanted));
  }
}

TEST(RawParts, ShortGapsAreReadAndLongOnesSkipped) {
  const std::vector<int> order = c_order(2);
  const Region region = whole({100, 100'000});
  const RawChunk chunk{region, {100, 100'000}, order, 4};
  std::size_t runs = 0;
  const auto count = [&](const Slab& slab) { runs += slab.runs.size(); };
  for_each_slab(chunk, {{0, 7}, {100, 300}}, count);
  EXPECT_EQ(runs, 100u);
  runs = 0;
  const RawChunk narrow{region, {100, 310}, order, 4};
  for_each_slab(narrow, {{0, 7}, {100, 300}}, count);
  EXPECT_EQ(runs, 1u);
}

TEST(RawParts, NothingIsReadForNothing) {
  const std::vector<int> order = c_order(1);
  const RawChunk chunk{whole({4}), {4}, order, 4};
  for_each_slab(chunk, {{2}, {2}}, [](const Slab&) { FAIL(); });
}

}  // namespace
}  // namespace rechunk

#include "base/strided_copy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace rechunk {
namespace {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

std::vector<std::byte> random_bytes(Random& random, std::int64_t count) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count));
  for (std::byte& value : bytes)
    value = static_cast<std::byte>(pick(random, 0, 255));
  return bytes;
}

// A box of `extent` within a larger array, in a random order of its axes.
struct Layout {
  Shape strides;
  std::int64_t bytes;
};

Layout random_layout(Random& random, const Shape& extent, std::int64_t item) {
  Shape outer = extent;
  for (std::int64_t& length : outer) length += pick(random, 0, 2);
  std::vector<int> order = c_order(static_cast<int>(extent.size()));
  std::shuffle(order.begin(), order.end(), random);
  return {contiguous_strides(outer, order, item), element_count(outer) * item};
}

std::int64_t offset(const Shape& point, const Shape& strides) {
  std::int64_t at = 0;
  for (std::size_t axis = 0; axis < point.size(); ++axis)
    at += point[axis] * strides[axis];
  return at;
}

TEST(StridedCopy, EqualsANaiveLoopForAnyLayouts) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Shape extent;
    for (std::int64_t axis = pick(random, 0, 5); axis > 0; --axis)
      extent.push_back(
          pick(random, 0, 40) ? pick(random, 1, extent.empty() ? 40 : 9) : 0);
    const std::int64_t item = pick(random, 1, 24);
    const Layout from = random_layout(random, extent, item);
    const Layout to = random_layout(random, extent, item);
    const auto source = random_bytes(random, from.bytes);
    auto target = random_bytes(random, to.bytes);
    auto expected = target;
    for_each_point(whole(extent), [&](const Shape& point) {
      std::memcpy(expected.data() + offset(point, to.strides),
                  source.data() + offset(point, from.strides),
                  static_cast<std::size_t>(item));
    });
    strided_copy(extent, item, target.data(), to.strides, source.data(),
                 from.strides);
    ASSERT_EQ(target, expected);
  }
}

TEST(Fill, RepeatsAnElementAndIsFoundAgain) {
  Random random(1);
  for (const std::int64_t item : {1, 2, 3, 4, 8, 13}) {
    const auto element = random_bytes(random, item);
    for (const std::int64_t count : {1, 2, 7, 1000}) {
      std::vector<std::byte> buffer(static_cast<std::size_t>(item * count));
      fill_elements(buffer, element);
      for (std::int64_t at = 0; at < item * count; ++at)
        ASSERT_EQ(buffer[at], element[at % item]);
      EXPECT_TRUE(holds_only(buffer, element));
      buffer[pick(random, 0, item * count - 1)] ^= std::byte{4};
      EXPECT_FALSE(holds_only(buffer, element));
    }
  }
}

}  // namespace
}  // namespace rechunk

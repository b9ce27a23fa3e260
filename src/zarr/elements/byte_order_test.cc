#include "zarr/elements/byte_order.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random_testing.h"

namespace rechunk {
namespace {

using Scalars = std::vector<DataType::Scalar>;

// Scalars of random widths; those that cannot be swapped have no byte order.
Scalars random_scalars(Random& random, bool uniform) {
  constexpr std::array<std::int64_t, 7> kWidths{1, 2, 3, 4, 8, 10, 16};
  const auto width = [&] {
    return kWidths[static_cast<std::size_t>(pick(random, 0, 6))];
  };
  const std::int64_t same = width();
  Scalars scalars;
  for (std::int64_t count = pick(random, 1, 5); count > 0; --count) {
    const std::int64_t bytes = uniform ? same : width();
    const bool swappable = bytes > 1 && (uniform || pick(random, 0, 3));
    scalars.push_back({bytes, swappable, swappable && pick(random, 0, 1)});
  }
  return scalars;
}

Scalars with_other_orders(Random& random, Scalars scalars, bool all) {
  for (DataType::Scalar& scalar : scalars)
    if (scalar.swappable && (all || pick(random, 0, 1)))
      scalar.big_endian = !scalar.big_endian;
  return scalars;
}

Bytes swapped_by_hand(Bytes elements, const Scalars& from, const Scalars& to) {
  for (auto at = elements.begin(); at != elements.end();)
    for (std::size_t i = 0; i < from.size(); at += from[i++].bytes)
      if (from[i].big_endian != to[i].big_endian)
        std::reverse(at, at + from[i].bytes);
  return elements;
}

TEST(ByteSwap, ReversesTheScalarsWhoseOrderDiffersAndNoOthers) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Scalars from = random_scalars(random, pick(random, 0, 1));
    const Scalars to = with_other_orders(random, from, pick(random, 0, 1));
    std::int64_t item_bytes = 0;
    for (const auto& scalar : from) item_bytes += scalar.bytes;
    const Bytes before = random_bytes(random, item_bytes * pick(random, 0, 9));
    Bytes elements = before;
    ByteSwap(from, to).apply(elements);
    ASSERT_EQ(elements, swapped_by_hand(before, from, to));
    ByteSwap(to, from).apply(elements);
    ASSERT_EQ(elements, before);
  }
}

TEST(ByteSwap, IsNotNeededWhereBothAgree) {
  EXPECT_FALSE(ByteSwap().needed());
  const Scalars big{{8, true, true}, {8, true, true}}, raw{{5, false, false}};
  EXPECT_FALSE(ByteSwap(big, big).needed());
  EXPECT_FALSE(ByteSwap(raw, raw).needed());
  EXPECT_TRUE(ByteSwap(big, {{8, true, true}, {8, true, false}}).needed());
}

}  // namespace
}  // namespace rechunk

#include "base/digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/strided_copy.h"

namespace rechunk {
namespace {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

std::uint64_t halves(std::uint64_t x) { return (x & 0xFFFFFFFF) * (x >> 32); }

// The definition in digest.h, word by word.
Digest by_definition(const std::vector<DigestScalar>& scalars,
                     const std::vector<std::byte>& elements) {
  std::size_t words = 0, item = 0;
  for (const DigestScalar& scalar : scalars) {
    words += static_cast<std::size_t>((scalar.bytes + 7) / 8);
    item += static_cast<std::size_t>(scalar.bytes);
  }
  Digest digest;
  std::uint64_t number = 0;
  for (std::size_t at = 0; at < elements.size(); at += item) {
    std::size_t offset = at;
    for (const DigestScalar& scalar : scalars) {
      std::vector<std::byte> bytes(
          elements.begin() + static_cast<std::ptrdiff_t>(offset),
          elements.begin() + static_cast<std::ptrdiff_t>(offset) +
              scalar.bytes);
      if (scalar.reversed) std::reverse(bytes.begin(), bytes.end());
      for (std::size_t word = 0; word < bytes.size(); word += 8) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < 8 && word + i < bytes.size(); ++i)
          value |= std::to_integer<std::uint64_t>(bytes[word + i]) << (8 * i);
        ++number;
        std::uint64_t x = value ^ number * 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 32)) * 0xBF58476D1CE4E5B9;
        digest.lanes[0] += halves(x);
        digest.lanes[1] += halves(x ^ number * 0xD1B54A32D192ED03);
      }
      offset += bytes.size();
    }
  }
  return digest;
}

struct Box {
  Shape shape;
  std::vector<DigestScalar> scalars;
  std::int64_t item = 0;
  std::vector<std::byte> elements;
};

Box random_box(Random& random) {
  Box box;
  for (std::int64_t axis = pick(random, 0, 4); axis > 0; --axis)
    box.shape.push_back(pick(random, 1, 9));
  // Now and then a long axis, or all scalars alike.
  if (!box.shape.empty() && pick(random, 0, 2) == 0)
    box.shape[static_cast<std::size_t>(
        pick(random, 0, static_cast<std::int64_t>(box.shape.size()) - 1))] =
        pick(random, 60, 1300) / (box.shape.size() > 3 ? 10 : 1);
  const DigestScalar alike{1 << pick(random, 0, 3), pick(random, 0, 1) == 1};
  const bool all_alike = pick(random, 0, 1) == 1;
  for (std::int64_t scalar = pick(random, 1, 3); scalar > 0; --scalar) {
    box.scalars.push_back(
        all_alike ? alike
                  : DigestScalar{pick(random, 1, 19), pick(random, 0, 1) == 1});
    box.item += box.scalars.back().bytes;
  }
  box.elements.resize(
      static_cast<std::size_t>(element_count(box.shape) * box.item));
  for (std::byte& value : box.elements)
    value = static_cast<std::byte>(pick(random, 0, 255));
  return box;
}

TEST(Digest, IsWhatItsDefinitionSaysHoweverTheArrayIsCut) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Box box = random_box(random);
    const auto order = c_order(static_cast<int>(box.shape.size()));
    const Shape strides = contiguous_strides(box.shape, order, box.item);
    const Digest expected = by_definition(box.scalars, box.elements);
    Shape cut = box.shape;
    for (std::int64_t& length : cut) length = pick(random, 1, length);
    const Grid cells(box.shape, cut);
    Digest sum;
    for (std::int64_t index = 0; index < cells.cell_count(); ++index) {
      const Region cell = cells.cell(index);
      // Each cell lies in memory in an order of its own.
      auto shuffled = order;
      std::shuffle(shuffled.begin(), shuffled.end(), random);
      Shape memory = cell.extent();  // There may be gaps between rows.
      for (std::int64_t& length : memory) length += pick(random, 0, 3) / 3;
      const Shape inner = contiguous_strides(memory, shuffled, box.item);
      std::vector<std::byte> copy(
          static_cast<std::size_t>(element_count(memory) * box.item));
      const std::byte* from = box.elements.data();
      for (std::size_t axis = 0; axis < strides.size(); ++axis)
        from += cell.start[axis] * strides[axis];
      strided_copy(cell.extent(), box.item, copy.data(), inner, from, strides);
      sum += digest_box(box.scalars, box.shape, cell.start, cell.extent(),
                        copy.data(), inner);
    }
    ASSERT_EQ(sum, expected);
  }
}

TEST(Digest, SeesEveryFlippedBitAndEverySwap) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    Box box = random_box(random);
    const Digest before = by_definition(box.scalars, box.elements);
    const Shape strides = contiguous_strides(
        box.shape, c_order(static_cast<int>(box.shape.size())), box.item);
    const auto digest = [&] {
      return digest_box(box.scalars, box.shape, Shape(box.shape.size(), 0),
                        box.shape, box.elements.data(), strides);
    };
    const auto at =
        pick(random, 0, static_cast<std::int64_t>(box.elements.size()) - 1);
    const auto bit = static_cast<std::byte>(1 << pick(random, 0, 7));
    box.elements[at] ^= bit;
    EXPECT_NE(digest(), before);
    box.elements[at] ^= bit;
    EXPECT_EQ(digest(), before);
    auto first = box.elements.begin(), last = box.elements.end() - box.item;
    if (std::equal(first, first + box.item, last)) continue;
    std::swap_ranges(first, first + box.item, last);
    EXPECT_NE(digest(), before);
  }
}

}  // namespace
}  // namespace rechunk

#include "zarr/chunks/shard_index.h"

#include <gtest/gtest.h>

#include <map>

#include "codec/crc32c.h"
#include "rechunk/error.h"
#include "zarr/chunks/testing.h"

namespace rechunk {
namespace {

constexpr std::int64_t kLargest = INT64_MAX;

ShardLevel level_of(Shape counts, bool big_endian, bool checksum) {
  ShardLevel level;
  level.chunk_counts = std::move(counts);
  level.chunk_shape = Shape(level.chunk_counts.size(), 1);
  for (std::size_t axis = 0; axis < level.chunk_counts.size(); ++axis)
    level.axis_order.push_back(static_cast<int>(axis));
  level.index_big_endian = big_endian;
  level.index_has_crc32c = checksum;
  level.index_bytes =
      16 * element_count(level.chunk_counts) + (checksum ? 4 : 0);
  return level;
}

void store_number(std::span<std::byte> bytes, std::uint64_t value,
                  bool big_endian) {
  for (std::size_t i = 0; i < 8; ++i)
    bytes[big_endian ? 7 - i : i] = static_cast<std::byte>(value >> (8 * i));
}

template <class Action>
bool is_corrupt(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
    return true;
  }
  return false;
}

TEST(ShardIndex, HasTheBytesOfTheSpecification) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const bool big = pick(random, 0, 1), checksum = pick(random, 0, 1);
    const ShardLevel level =
        level_of({pick(random, 1, 5), pick(random, 1, 5)}, big, checksum);
    const std::int64_t count = element_count(level.chunk_counts);
    Bytes encoded = random_bytes(random, level.index_bytes);
    Bytes expected(encoded.size(), std::byte{0xff});
    ShardIndex index(level, encoded);
    index.clear();
    for (std::int64_t chunk = 0; chunk < count; ++chunk) {
      if (pick(random, 0, 2) == 0) continue;
      const ShardIndex::Entry entry{pick(random, 0, kLargest),
                                    pick(random, 0, kLargest)};
      index.set(chunk, entry);
      const auto at =
          std::span(expected).subspan(static_cast<std::size_t>(16 * chunk), 16);
      store_number(at, static_cast<std::uint64_t>(entry.offset), big);
      store_number(at.last(8), static_cast<std::uint64_t>(entry.bytes), big);
    }
    if (checksum) {
      const auto entries = std::span(expected).first(expected.size() - 4);
      const std::uint32_t sum = crc32c_by_table(entries);
      for (std::size_t i = 0; i < 4; ++i)
        expected[entries.size() + i] = static_cast<std::byte>(sum >> (8 * i));
    }
    index.seal();
    ASSERT_EQ(encoded, expected);
    index.check();
  }
}

TEST(ShardIndex, GivesBackWhatWasSet) {
  Random random(1);
  const ShardLevel level = level_of({3, 4, 2}, false, true);
  Bytes encoded = random_bytes(random, level.index_bytes);
  ShardIndex index(level, encoded);
  index.clear();
  std::map<std::int64_t, ShardIndex::Entry> entries;
  for (int chunk = 0; chunk < 12; ++chunk)
    entries[pick(random, 0, 23)] = {pick(random, 0, 500), pick(random, 0, 500)};
  for (const auto& [chunk, entry] : entries) index.set(chunk, entry);
  for (std::int64_t chunk = 0; chunk < 24; ++chunk) {
    const auto found = index.entry(chunk, 1000);
    ASSERT_EQ(found.has_value(), entries.contains(chunk));
    if (!found) continue;
    EXPECT_EQ(found->offset, entries[chunk].offset);
    EXPECT_EQ(found->bytes, entries[chunk].bytes);
  }
}

TEST(ShardIndex, CountsChunksInTheOrderOfTheLevelsAxes) {
  ShardLevel level = level_of({2, 3, 5}, false, false);
  level.axis_order = {2, 0, 1};
  Bytes encoded(static_cast<std::size_t>(level.index_bytes));
  const ShardIndex index(level, encoded);
  std::int64_t expected = 0;
  for (std::int64_t k = 0; k < 5; ++k)
    for (std::int64_t i = 0; i < 2; ++i)
      for (std::int64_t j = 0; j < 3; ++j)
        EXPECT_EQ(index.position({i, j, k}), expected++);
}

TEST(ShardIndex, OfNoDimensionsHasOneChunk) {
  const ShardLevel level = level_of({}, true, true);
  Bytes encoded(static_cast<std::size_t>(level.index_bytes));
  ShardIndex index(level, encoded);
  EXPECT_EQ(encoded.size(), 20u);
  EXPECT_EQ(index.position({}), 0);
  index.clear();
  EXPECT_FALSE(index.entry(0, 100).has_value());
}

TEST(ShardIndex, AnyFlippedBitBreaksTheChecksum) {
  Random random(2);
  const ShardLevel level = level_of({2, 3}, false, true);
  Bytes encoded = random_bytes(random, level.index_bytes);
  ShardIndex index(level, encoded);
  index.seal();
  index.check();
  for (std::size_t bit = 0; bit < 8 * encoded.size(); ++bit) {
    encoded[bit / 8] ^= std::byte{1} << bit % 8;
    EXPECT_TRUE(is_corrupt([&] { index.check(); })) << "bit " << bit;
    encoded[bit / 8] ^= std::byte{1} << bit % 8;
  }
}

TEST(ShardIndex, WithoutAChecksumAnythingPassesTheCheck) {
  Random random(3);
  const ShardLevel level = level_of({2, 3}, false, false);
  Bytes encoded = random_bytes(random, level.index_bytes);
  EXPECT_FALSE(is_corrupt([&] { ShardIndex(level, encoded).check(); }));
}

TEST(ShardIndex, RefusesChunksThatReachBeyondTheShard) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  const auto refusals = [](std::uint64_t offset, std::uint64_t bytes) {
    int count = 0;
    for (const bool big : {false, true}) {
      const ShardLevel level = level_of({1}, big, false);
      Bytes encoded(16);
      store_number(encoded, offset, big);
      store_number(std::span(encoded).last(8), bytes, big);
      const ShardIndex index(level, encoded);
      count += is_corrupt([&] { index.entry(0, 1000); });
    }
    return count;
  };
  EXPECT_EQ(refusals(0, 1000), 0);
  EXPECT_EQ(refusals(999, 1), 0);
  EXPECT_EQ(refusals(1000, 0), 0);
  EXPECT_EQ(refusals(kAll, kAll), 0);  // Empty.
  EXPECT_EQ(refusals(0, 1001), 2);
  EXPECT_EQ(refusals(999, 2), 2);
  EXPECT_EQ(refusals(1001, 0), 2);
  EXPECT_EQ(refusals(kAll, 0), 2);
  EXPECT_EQ(refusals(0, kAll), 2);
  EXPECT_EQ(refusals(kAll, 2), 2);
  EXPECT_EQ(refusals(kAll - 1, 3), 2);  // The sum is 1, modulo 2^64.
  EXPECT_EQ(refusals(1ULL << 63, 1ULL << 63), 2);
}

}  // namespace
}  // namespace rechunk

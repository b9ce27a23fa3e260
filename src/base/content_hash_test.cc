#include "base/content_hash.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace rechunk {
namespace {

std::vector<std::byte> random_bytes(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

TEST(ContentHash, IsTheSameHoweverTheBytesAreCut) {
  std::mt19937_64 random(3);
  for (const std::size_t size : {0, 1, 63, 64, 65, 128, 1000, 100'003}) {
    const auto bytes = random_bytes(size, size);
    for (int turn = 0; turn < 20; ++turn) {
      ContentHash hash;
      for (std::span<const std::byte> left(bytes); !left.empty();) {
        const std::size_t part =
            1 + random() % std::min<std::size_t>(left.size(), 150);
        hash.append(left.first(part));
        left = left.subspan(part);
      }
      EXPECT_EQ(hash.value(), content_hash(bytes));
      EXPECT_EQ(hash.bytes(), static_cast<std::int64_t>(size));
    }
  }
}

TEST(ContentHash, ChangesWithEveryBit) {
  auto bytes = random_bytes(200, 1);
  std::set<std::uint64_t> seen{content_hash(bytes)};
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto mask = static_cast<std::byte>(1 << (bit % 8));
    bytes[bit / 8] ^= mask;
    EXPECT_TRUE(seen.insert(content_hash(bytes)).second) << "bit " << bit;
    bytes[bit / 8] ^= mask;
  }
}

TEST(ContentHash, TellsZerosOfDifferentLengthsAndPlacesApart) {
  std::set<std::uint64_t> seen;
  for (std::size_t size = 0; size < 300; ++size)
    EXPECT_TRUE(seen.insert(content_hash(std::vector<std::byte>(size))).second);
  std::vector<std::byte> bytes(256);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = std::byte{1};
    EXPECT_TRUE(seen.insert(content_hash(bytes)).second);
    bytes[at] = std::byte{0};
  }
  // Two blocks that change places.
  const auto a = random_bytes(64, 8), b = random_bytes(64, 9);
  auto ab = a, ba = b;
  ab.insert(ab.end(), b.begin(), b.end());
  ba.insert(ba.end(), a.begin(), a.end());
  EXPECT_NE(content_hash(ab), content_hash(ba));
}

TEST(ContentHash, OfATextDependsOnAllItsParts) {
  std::set<std::uint64_t> seen;
  for (const auto text : {"", "c/0/1", "c/01"})
    for (const std::uint64_t number : {0, 1, 2})
      for (const std::uint64_t other : {0, 1, 2})
        EXPECT_TRUE(seen.insert(content_hash(text, {number, other})).second);
}

}  // namespace
}  // namespace rechunk

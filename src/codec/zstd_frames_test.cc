#include "codec/zstd_frames.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <random>
#include <vector>

#include "rechunk/error.h"

namespace rechunk {
namespace {

using Bytes = std::vector<std::byte>;

// A random walk, which has both literals and matches.
Bytes walk(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes data(size);
  unsigned value = 0;
  for (std::byte& byte : data) {
    if (random() % 3 == 0) value += random() % 7;
    byte = static_cast<std::byte>(value & 0x3F);
  }
  return data;
}

Bytes compress(const Bytes& data, int level) {
  Bytes encoded(ZSTD_compressBound(data.size()));
  encoded.resize(ZSTD_compress(encoded.data(), encoded.size(), data.data(),
                               data.size(), level));
  return encoded;
}

bool is_refused(const Bytes& encoded) {
  try {
    check_zstd_frames(encoded);
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    return true;
  }
}

// Bits whose change the library does not see, and this does.
std::vector<std::size_t> reserved_bits(const Bytes& data, Bytes encoded) {
  std::vector<std::size_t> bits;
  for (std::size_t bit = 0; bit < 8 * encoded.size(); ++bit) {
    std::byte& byte = encoded[bit / 8];
    const auto mask = static_cast<std::byte>(1U << bit % 8);
    byte ^= mask;
    Bytes decoded(data.size());
    const auto size = ZSTD_decompress(decoded.data(), decoded.size(),
                                      encoded.data(), encoded.size());
    if (size == data.size() && decoded == data && is_refused(encoded))
      bits.push_back(bit);
    byte ^= mask;
  }
  return bits;
}

TEST(ZstdFrames, AreTakenAsTheyAreWritten) {
  for (std::size_t size = 1; size < 500'000; size = size * 3 + 1)
    for (const int level : {-5, 1, 3, 9, 19}) {
      Bytes frames = compress(walk(size, size), level);
      EXPECT_FALSE(is_refused(frames)) << size << " at " << level;
      const Bytes more = compress(Bytes(size), level);
      frames.insert(frames.end(), more.begin(), more.end());
      EXPECT_FALSE(is_refused(frames)) << size << " at " << level;
    }
}

TEST(ZstdFrames, HaveTwoReservedBitsInABlock) {
  if (ZSTD_versionNumber() >= 10506)
    GTEST_SKIP() << "zstd itself refuses reserved bits";
  for (std::size_t size = 300; size < 1000; size += 217) {
    const Bytes data = walk(size, size);
    const auto bits = reserved_bits(data, compress(data, 3));
    ASSERT_EQ(bits.size(), 2U) << size;
    EXPECT_EQ(bits[0] % 8, 0U);
    EXPECT_EQ(bits[1], bits[0] + 1);
  }
}

TEST(ZstdFrames, MayNotEndEarly) {
  const Bytes whole = compress(walk(5000, 1), 3);
  for (std::size_t size = 1; size < whole.size(); ++size)
    EXPECT_TRUE(is_refused(Bytes(whole.begin(), whole.begin() + size)));
}

// numcodecs decodes frames without a size by a stream, which has this limit.
TEST(ZstdFrames, NeedNoLargerWindowThanStreamsHave) {
  const auto frame = [](int window, int descriptor) {
    Bytes bytes;
    for (const int byte : {0x28, 0xB5, 0x2F, 0xFD, descriptor, window})
      bytes.push_back(static_cast<std::byte>(byte));
    if (descriptor & 0x40) bytes.resize(bytes.size() + 2);
    for (const int byte : {1, 0, 0})
      bytes.push_back(static_cast<std::byte>(byte));
    return bytes;
  };
  EXPECT_FALSE(is_refused(frame(17 << 3, 0)));
  EXPECT_TRUE(is_refused(frame((17 << 3) + 1, 0)));
  EXPECT_FALSE(is_refused(frame((17 << 3) + 1, 0x40)));
}

}  // namespace
}  // namespace rechunk

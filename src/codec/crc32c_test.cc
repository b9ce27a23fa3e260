#include "codec/crc32c.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string_view>

#include "rechunk/error.h"

namespace rechunk {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(Crc32cTest, KnownMessagesHaveTheirKnownChecksums) {
  const std::string zeros(32, '\0'), ones(32, '\xff');
  for (auto checksum : {crc32c, crc32c_by_table}) {
    EXPECT_EQ(checksum({}), 0u);
    EXPECT_EQ(checksum(bytes_of("123456789")), 0xe3069283u);
    EXPECT_EQ(checksum(bytes_of(zeros)), 0x8a9136aau);
    EXPECT_EQ(checksum(bytes_of(ones)), 0x62a8ab43u);
  }
}

TEST(Crc32cTest, HardwareAndTablesAgreeAtEveryLengthAndAlignment) {
  std::mt19937_64 random(7);
  std::vector<std::byte> bytes(300);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random() & 255);
  for (std::size_t start = 0; start < 9; ++start)
    for (std::size_t size = 0; start + size <= bytes.size(); ++size) {
      const auto part = std::span(bytes).subspan(start, size);
      ASSERT_EQ(crc32c(part), crc32c_by_table(part)) << start << " " << size;
    }
}

TEST(Crc32cTest, AMismatchNamesBothChecksums) {
  std::vector<std::byte> sealed(13);
  std::memcpy(sealed.data(), "123456789", 9);
  const Crc32c codec;
  EXPECT_EQ(codec.seal(sealed, 9), 13);
  EXPECT_EQ(codec.payload(sealed).size(), 9u);
  sealed[9] ^= std::byte{0xff};
  try {
    codec.payload(sealed);
    FAIL() << "a damaged checksum was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_STREQ(error.what(),
                 "crc32c: mismatch (stored e306927c, computed e3069283)");
  }
}

}  // namespace
}  // namespace rechunk

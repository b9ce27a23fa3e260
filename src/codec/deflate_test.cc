#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <vector>

#include "codec/codec.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Bytes = std::vector<std::byte>;

bool takes(const Codec& codec, const Bytes& encoded, Bytes& decoded) {
  try {
    return codec.decode(encoded, decoded) ==
           static_cast<std::int64_t>(decoded.size());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    return false;
  }
}

bool zlib_takes(const Bytes& encoded, Bytes& decoded) {
  uLongf size = decoded.size();
  return uncompress(reinterpret_cast<Bytef*>(decoded.data()), &size,
                    reinterpret_cast<const Bytef*>(encoded.data()),
                    encoded.size()) == Z_OK &&
         size == decoded.size();
}

// zlib is what most readers have.
TEST(StrictDeflate, RefusesWhatZlibDoes) {
  const auto codec = make_codec({"numcodecs.zlib", R"({"level": 6})"}, 1);
  const auto strict = codec->strict();
  std::mt19937_64 random(3);
  int only_strict_refuses = 0;
  for (int round = 0; round < 60; ++round) {
    Bytes data(50 + random() % 150);
    for (std::byte& byte : data)
      byte = static_cast<std::byte>(random() % (2 + round % 40));
    Bytes encoded(static_cast<std::size_t>(
        codec->max_encoded_bytes(static_cast<std::int64_t>(data.size()))));
    encoded.resize(static_cast<std::size_t>(codec->encode(data, encoded)));
    for (std::size_t bit = 0; bit < 8 * encoded.size(); ++bit) {
      const auto mask = static_cast<std::byte>(1U << bit % 8);
      encoded[bit / 8] ^= mask;
      Bytes decoded(data.size());
      const bool taken = takes(*strict, encoded, decoded);
      ASSERT_EQ(taken, zlib_takes(encoded, decoded)) << round << " " << bit;
      only_strict_refuses += !taken && takes(*codec, encoded, decoded);
      encoded[bit / 8] ^= mask;
    }
  }
  EXPECT_GT(only_strict_refuses, 0);
}

TEST(StrictDeflate, TakesSeveralMembers) {
  const auto codec = make_codec({"gzip", R"({"level": 6})"}, 1);
  const auto strict = codec->strict();
  const Bytes data(70'000, std::byte{7});
  Bytes member(static_cast<std::size_t>(codec->max_encoded_bytes(70'000)));
  member.resize(static_cast<std::size_t>(codec->encode(data, member)));
  Bytes encoded = member;
  encoded.insert(encoded.end(), member.begin(), member.end());
  Bytes decoded(140'000);
  EXPECT_TRUE(takes(*strict, encoded, decoded));
  EXPECT_EQ(decoded, Bytes(140'000, std::byte{7}));
}

}  // namespace
}  // namespace rechunk

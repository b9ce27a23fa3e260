#include <gtest/gtest.h>

#include <random>

#include "codec/codec.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Bytes = std::vector<std::byte>;

CodecChain make_chain(const std::vector<std::string>& names) {
  std::vector<CodecSpec> specs;
  for (const auto& name : names) specs.push_back({name, "{}"});
  return make_codec_chain(specs, 4);
}

Bytes make_data(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes data(size);
  // Some bits are constant, so that codecs have something to do.
  for (auto& byte : data) byte = static_cast<std::byte>(random() & 0x1f);
  return data;
}

Bytes buffer_for(const CodecChain& chain, std::size_t size) {
  return Bytes(static_cast<std::size_t>(
      chain.buffer_bytes(static_cast<std::int64_t>(size))));
}

Bytes encode(const CodecChain& chain, const Bytes& data) {
  Bytes encoded(static_cast<std::size_t>(
      chain.max_encoded_bytes(static_cast<std::int64_t>(data.size()))));
  Bytes buffer = buffer_for(chain, data.size());
  encoded.resize(static_cast<std::size_t>(chain.encode(data, encoded, buffer)));
  return encoded;
}

Bytes decode(const CodecChain& chain, const Bytes& encoded, std::size_t size) {
  Bytes decoded(size);
  Bytes buffer = buffer_for(chain, size);
  chain.decode(encoded, decoded, buffer);
  return decoded;
}

std::string corrupt_message(const CodecChain& chain, const Bytes& encoded,
                            std::size_t size) {
  try {
    decode(chain, encoded, size);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    return error.what();
  }
  return "nothing was thrown";
}

class ChainTest : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(ChainTest, DecodingReturnsWhatWasEncoded) {
  const CodecChain chain = make_chain(GetParam());
  for (std::size_t size : {0, 1, 13, 1000, 100003}) {
    const Bytes data = make_data(size, size);
    ASSERT_EQ(decode(chain, encode(chain, data), size), data) << size;
  }
}

TEST_P(ChainTest, AnotherSizeThanExpectedIsCorrupt) {
  const CodecChain chain = make_chain(GetParam());
  const Bytes encoded = encode(chain, make_data(1000, 1));
  for (std::size_t size : {0, 1, 999, 1001, 5000})
    EXPECT_NE(corrupt_message(chain, encoded, size), "nothing was thrown")
        << size;
}

TEST_P(ChainTest, AnEncodedBufferThatIsLongerIsCorrupt) {
  const CodecChain chain = make_chain(GetParam());
  Bytes encoded = encode(chain, make_data(1000, 1));
  encoded.insert(encoded.end(), 5, std::byte{17});
  EXPECT_NE(corrupt_message(chain, encoded, 1000), "nothing was thrown");
}

INSTANTIATE_TEST_SUITE_P(
    Chains, ChainTest,
    testing::Values(std::vector<std::string>{},
                    std::vector<std::string>{"zstd"},
                    std::vector<std::string>{"crc32c"},
                    std::vector<std::string>{"zstd", "crc32c"},
                    std::vector<std::string>{"crc32c", "zstd"},
                    std::vector<std::string>{"crc32c", "crc32c"},
                    std::vector<std::string>{"blosc", "gzip", "crc32c"},
                    std::vector<std::string>{"blosc", "crc32c", "gzip"},
                    std::vector<std::string>{"lz4", "zstd", "gzip", "blosc"},
                    std::vector<std::string>{"crc32c", "lz4", "crc32c", "zlib",
                                             "crc32c", "crc32c"}));

TEST(CodecChainTest, AWrongSizeIsNamedWithItsCodec) {
  const CodecChain chain = make_chain({"zstd"});
  EXPECT_EQ(corrupt_message(chain, encode(chain, make_data(12, 1)), 16),
            "zstd: decoded to 12 bytes, expected 16");
}

TEST(CodecChainTest, ATrailingChecksumNeedsNoBuffer) {
  EXPECT_EQ(make_chain({"zstd", "crc32c"}).buffer_bytes(1000), 0);
  EXPECT_EQ(make_chain({"crc32c"}).buffer_bytes(1000), 0);
  EXPECT_GE(make_chain({"crc32c", "zstd"}).buffer_bytes(1000), 1004);
}

}  // namespace
}  // namespace rechunk

// One suite over every codec of the table: what the contract in codec.h
// promises, on random data and awkward sizes, whole and damaged.
#include "codec/codec.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "codec/codec_row.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Bytes = std::vector<std::byte>;

struct Case {
  std::string name;
  std::string configuration;
  int item_bytes;
};

std::ostream& operator<<(std::ostream& out, const Case& it) {
  return out << it.name << " " << it.configuration;
}

/// Settings that deserve a look of their own.
const Case kSettings[] = {
    {"blosc", R"({"cname": "lz4", "clevel": 0, "shuffle": "shuffle"})", 8},
    {"blosc", R"({"cname": "lz4", "shuffle": "bitshuffle"})", 2},
    {"blosc", R"({"cname": "lz4hc", "clevel": 9, "shuffle": 1})", 4},
    {"blosc", R"({"cname": "zstd", "clevel": 3, "shuffle": -1})", 1},
    {"blosc", R"({"cname": "zlib", "clevel": 1, "shuffle": "noshuffle"})", 3},
    {"blosc", R"({"cname": "blosclz", "blocksize": 4096})", 8},
    {"blosc", R"({"cname": "lz4", "typesize": 300})", 300},
    {"numcodecs.blosc", R"({"shuffle": 2, "blocksize": 1000})", 16},
    {"zstd", R"({"level": -5, "checksum": true})", 4},
    {"zstd", R"({"level": 19})", 4},
    {"numcodecs.zstd", R"({"level": 100})", 4},
    {"gzip", R"({"level": 0})", 4},
    {"gzip", R"({"level": 5})", 4},
    {"numcodecs.gzip", R"({"level": -1})", 4},
    {"numcodecs.zlib", R"({"level": 9})", 4},
    {"numcodecs.lz4", R"({"acceleration": 100})", 4},
    {"numcodecs.bz2", R"({"level": 9})", 4},
    {"numcodecs.lzma", R"({"format": 2, "preset": 0})", 4},
    {"numcodecs.lzma", R"({"format": 0, "check": 1, "preset": 1})", 4},
    {"numcodecs.shuffle", R"({"elementsize": 0})", 1},
    {"numcodecs.shuffle", R"({"elementsize": 2})", 2},
    {"numcodecs.shuffle", R"({"elementsize": 7})", 7},
    {"numcodecs.shuffle", R"({"elementsize": 8})", 8},
    {"numcodecs.shuffle", R"({"elementsize": 16})", 16},
    {"numcodecs.crc32", R"({"location": "end"})", 4},
    {"numcodecs.crc32c", R"({"location": "start"})", 4},
    {"numcodecs.jenkins_lookup3", R"({"initval": 7})", 4},
};

/// Every codec of the table with its defaults, and the settings above.
std::vector<Case> cases() {
  std::vector<Case> all(std::begin(kSettings), std::end(kSettings));
  for (const CodecRow* row : codec_rows())
    if (row->native && row->kind == CodecKind::kBytesToBytes)
      all.push_back({std::string(row->name), "{}", 4});
  return all;
}

std::unique_ptr<Codec> make(const Case& it) {
  return make_codec({it.name, it.configuration}, it.item_bytes);
}

/// Random bytes; or slowly growing 4-byte numbers, which compress.
Bytes make_data(std::size_t size, bool compressible, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes data(size);
  std::uint32_t number = 123456789;
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 4 == 0) number += random() % 3;
    data[i] = static_cast<std::byte>(
        compressible ? number >> (8 * (i % 4)) & 255 : random() & 255);
  }
  return data;
}

/// A buffer of exactly that size between guards, on the heap, so that writes
/// beyond it show without a sanitizer too.
class Guarded {
 public:
  explicit Guarded(std::size_t size)
      : size_(size), bytes_(size + 2 * kGuardBytes, kGuard) {}
  std::span<std::byte> span() {
    return std::span(bytes_).subspan(kGuardBytes, size_);
  }
  bool is_intact() const {
    const auto is_guard = [](std::byte byte) { return byte == kGuard; };
    return std::all_of(bytes_.begin(), bytes_.begin() + kGuardBytes,
                       is_guard) &&
           std::all_of(bytes_.end() - kGuardBytes, bytes_.end(), is_guard);
  }

 private:
  static constexpr std::size_t kGuardBytes = 64;
  static constexpr std::byte kGuard{0xa5};
  std::size_t size_;
  Bytes bytes_;
};

Bytes encode(const Codec& codec, std::span<const std::byte> data) {
  const auto bound =
      codec.max_encoded_bytes(static_cast<std::int64_t>(data.size()));
  Guarded encoded(static_cast<std::size_t>(bound));
  const auto size = codec.encode(data, encoded.span());
  EXPECT_LE(size, bound);
  EXPECT_TRUE(encoded.is_intact());
  const auto made = encoded.span().first(static_cast<std::size_t>(size));
  return Bytes(made.begin(), made.end());
}

Bytes decode(const Codec& codec, std::span<const std::byte> encoded,
             std::size_t size) {
  Guarded decoded(size);
  const auto got = codec.decode(encoded, decoded.span());
  EXPECT_TRUE(decoded.is_intact());
  const auto made = decoded.span().first(static_cast<std::size_t>(got));
  return Bytes(made.begin(), made.end());
}

/// Decodes damaged bytes: an error must be `corrupt`, and nothing beyond the
/// buffer may be written. True if it threw.
bool decode_damaged(const Codec& codec, std::span<const std::byte> damaged,
                    std::size_t size) {
  // A copy of exactly the size, so that a sanitizer sees reads beyond it.
  const Bytes exact(damaged.begin(), damaged.end());
  Guarded decoded(size);
  bool threw = false;
  try {
    const auto got = codec.decode(exact, decoded.span());
    EXPECT_LE(got, static_cast<std::int64_t>(size));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
    threw = true;
  }
  EXPECT_TRUE(decoded.is_intact());
  return threw;
}

class CodecTest : public testing::TestWithParam<Case> {
 protected:
  // One arena for all threads, so that mallinfo2 sees what they allocate.
  static void SetUpTestSuite() { mallopt(M_ARENA_MAX, 1); }

  /// It cannot tell where its data end; the array can.
  bool is_without_frame() const {
    return codec_->max_encoded_bytes(1000) == 1000;
  }

  std::unique_ptr<Codec> codec_ = make(GetParam());
};

TEST_P(CodecTest, DecodingReturnsWhatWasEncoded) {
  for (std::size_t size : {0, 1, 2, 3, 4, 7, 15, 16, 17, 31, 100, 127, 128, 129,
                           1023, 4099, 65536, 262147, 1 << 20})
    for (bool compressible : {false, true}) {
      const Bytes data = make_data(size, compressible, size);
      const Bytes encoded = encode(*codec_, data);
      ASSERT_EQ(decode(*codec_, encoded, size), data) << size;
      // A larger buffer is filled as far as the data go.
      ASSERT_EQ(decode(*codec_, encoded, size + 100), data) << size;
    }
}

TEST_P(CodecTest, ABufferThatIsTooSmallIsCorruptAndNotOverrun) {
  const Bytes data = make_data(5000, true, 1);
  const Bytes encoded = encode(*codec_, data);
  for (std::size_t size : {0, 1, 100, 2500, 4999})
    EXPECT_TRUE(decode_damaged(*codec_, encoded, size)) << size;
}

TEST_P(CodecTest, NothingIsNotAnEncodedBuffer) {
  if (is_without_frame()) return;
  EXPECT_TRUE(decode_damaged(*codec_, {}, 100));
  EXPECT_TRUE(decode_damaged(*codec_, {}, 0));
}

TEST_P(CodecTest, ATruncatedBufferIsCorrupt) {
  if (is_without_frame()) return;
  const Bytes data = make_data(3001, true, 2);
  const Bytes encoded = encode(*codec_, data);
  for (std::size_t size = 0; size < encoded.size(); size += 1 + size / 50)
    EXPECT_TRUE(
        decode_damaged(*codec_, std::span(encoded).first(size), data.size()))
        << size << " of " << encoded.size();
}

TEST_P(CodecTest, ABufferWithMoreBehindItIsCorrupt) {
  if (is_without_frame()) return;
  const Bytes data = make_data(3001, true, 3);
  Bytes encoded = encode(*codec_, data);
  for (int byte : {1, 200, 7, 99, 255})
    encoded.push_back(static_cast<std::byte>(byte));
  EXPECT_TRUE(decode_damaged(*codec_, encoded, data.size()));
}

TEST_P(CodecTest, FlippedBitsAreCorruptOrHarmless) {
  std::mt19937_64 random(4);
  const Bytes data = make_data(20011, true, 4);
  const Bytes encoded = encode(*codec_, data);
  for (int round = 0; round < 400; ++round) {
    Bytes damaged = encoded;
    // Half of the flips hit the first bytes, where the sizes are.
    const std::size_t reach =
        round % 2 ? std::min<std::size_t>(64, damaged.size()) : damaged.size();
    for (std::uint64_t flips = 1 + random() % 3; flips > 0; --flips)
      damaged[random() % reach] ^= static_cast<std::byte>(1 << random() % 8);
    decode_damaged(*codec_, damaged, data.size());
  }
}

TEST_P(CodecTest, RandomBytesAreCorruptOrHarmless) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round)
    decode_damaged(*codec_, make_data(random() % 300, false, random()), 1000);
}

TEST_P(CodecTest, ManyThreadsShareOneCodec) {
  std::vector<std::jthread> threads;
  for (std::uint64_t seed = 0; seed < 8; ++seed)
    threads.emplace_back([this, seed] {
      for (std::uint64_t round = 0; round < 10; ++round) {
        const Bytes data =
            make_data(10007 + 100 * seed, round % 2, 100 * seed + round);
        const Bytes encoded = encode(*codec_, data);
        ASSERT_EQ(decode(*codec_, encoded, data.size()), data);
      }
    });
}

// What a thread keeps shows in the allocator's statistics; under a sanitizer
// these stay 0 and the test says nothing.
TEST_P(CodecTest, KeptContextsAreNoLargerThanTheScratchThatWasTold) {
  const std::size_t size = 1 << 20;
  const Bytes data = make_data(size, true, 8);
  Bytes encoded(static_cast<std::size_t>(codec_->max_encoded_bytes(size)));
  Bytes decoded(size);
  std::int64_t taken_bytes = 0;
  std::jthread([&] {
    const auto used_bytes = [] {
      const auto info = mallinfo2();
      return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
    };
    const auto before = used_bytes();
    const auto encoded_bytes = codec_->encode(data, encoded);
    codec_->decode(
        std::span(encoded).first(static_cast<std::size_t>(encoded_bytes)),
        decoded);
    taken_bytes = used_bytes() - before;
  }).join();
  constexpr std::int64_t kSmallBytes = 16384;  // The thread's own.
  EXPECT_LE(taken_bytes, codec_->scratch_bytes(size) + kSmallBytes)
      << taken_bytes;
}

// Names come and go between chunks, and may take places that buffers need
// again. Under a sanitizer the statistics stay 0 and the test says nothing.
TEST(Blosc, TheHeapDoesNotGrowWithTheChunks) {
  const auto codec = make_codec(
      {"blosc", R"({"cname": "zstd", "clevel": 1, "shuffle": 2})"}, 2);
  std::mt19937_64 random(6);
  const Bytes data = make_data(41706, true, 6);
  Bytes encoded(static_cast<std::size_t>(
      codec->max_encoded_bytes(static_cast<std::int64_t>(data.size()))));
  std::vector<std::string> names(1000);
  const auto before_bytes = mallinfo2().arena;
  for (int chunk = 0; chunk < 3000; ++chunk) {
    codec->encode(data, encoded);
    for (int i = 0; i < 3; ++i)
      names[random() % names.size()] = std::string(16 + random() % 64, 'n');
  }
  // 4 MB; 18 where places are lost.
  EXPECT_LE(mallinfo2().arena, before_bytes + (8 << 20));
}

INSTANTIATE_TEST_SUITE_P(AllCodecs, CodecTest, testing::ValuesIn(cases()));

}  // namespace
}  // namespace rechunk

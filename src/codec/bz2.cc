// numcodecs.bz2: streams of bzip2, one behind the other if there are several.
#include <bzlib.h>
#include <fmt/format.h>

#include <algorithm>

#include "codec/codec_words.h"
#include "codec/codecs.h"
#include "rechunk/shape.h"

namespace rechunk {
namespace {

// "Memory management" in the library's manual: 400k and eight times the block
// to encode, 100k and four times the block to decode.
constexpr std::int64_t kBlockBytes = 100'000;
constexpr std::int64_t kEncoderBytes = 400 << 10;
constexpr int kMostBlocks = 9;

// The library counts in 32 bits.
constexpr std::size_t kMostAtATime = std::size_t{1} << 30;

struct Bz2Decoder {
  Bz2Decoder() {
    if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) throw std::bad_alloc();
  }
  ~Bz2Decoder() { BZ2_bzDecompressEnd(&stream); }
  Bz2Decoder(const Bz2Decoder&) = delete;
  Bz2Decoder& operator=(const Bz2Decoder&) = delete;
  bz_stream stream{};
};

struct Bz2Encoder {
  explicit Bz2Encoder(int level) {
    if (BZ2_bzCompressInit(&stream, level, 0, 0) != BZ_OK)
      throw std::bad_alloc();
  }
  ~Bz2Encoder() { BZ2_bzCompressEnd(&stream); }
  Bz2Encoder(const Bz2Encoder&) = delete;
  Bz2Encoder& operator=(const Bz2Encoder&) = delete;
  bz_stream stream{};
};

// The library does not write to what it reads.
void take(bz_stream& stream, std::span<const std::byte>& from) {
  if (stream.avail_in > 0) return;
  const auto part = from.first(std::min(from.size(), kMostAtATime));
  stream.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(part.data()));
  stream.avail_in = static_cast<unsigned>(part.size());
  from = from.subspan(part.size());
}

void give(bz_stream& stream, std::span<std::byte>& to) {
  if (stream.avail_out > 0) return;
  const auto part = to.first(std::min(to.size(), kMostAtATime));
  stream.next_out = reinterpret_cast<char*>(part.data());
  stream.avail_out = static_cast<unsigned>(part.size());
  to = to.subspan(part.size());
}

class Bz2 final : public Codec {
 public:
  explicit Bz2(int level) : level_(level) {}

  std::string_view name() const override { return "bz2"; }
  // The manual: 1 % and 600 bytes more.
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override {
    return checked_add(decoded_bytes, decoded_bytes / 100 + 601);
  }
  std::int64_t scratch_bytes(std::int64_t) const override {
    return kEncoderBytes + 8 * kMostBlocks * kBlockBytes;
  }
  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override;
  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override;

 private:
  const int level_;
};

std::int64_t Bz2::encode(std::span<const std::byte> decoded,
                         std::span<std::byte> encoded) const {
  Bz2Encoder encoder(level_);
  bz_stream& stream = encoder.stream;
  std::span<std::byte> room = encoded;
  int result = BZ_RUN_OK;
  while (result != BZ_STREAM_END) {
    take(stream, decoded);
    give(stream, room);
    result = BZ2_bzCompress(&stream, decoded.empty() ? BZ_FINISH : BZ_RUN);
    if (result < 0 ||
        (stream.avail_out == 0 && room.empty() && result != BZ_STREAM_END))
      throw Error(ErrorKind::kInternal, "encoding with bz2: no room");
  }
  return static_cast<std::int64_t>(encoded.size() - room.size() -
                                   stream.avail_out);
}

std::int64_t Bz2::decode(std::span<const std::byte> encoded,
                         std::span<std::byte> decoded) const {
  check_not_empty(name(), encoded);
  std::span<std::byte> room = decoded;
  std::size_t free = 0;
  while (!encoded.empty()) {
    Bz2Decoder decoder;
    bz_stream& stream = decoder.stream;
    std::span<const std::byte> rest = encoded;
    int result = BZ_OK;
    std::byte none{};  // Shows that there is more than was wanted.
    bool is_full = false;
    stream.avail_out = static_cast<unsigned>(free);
    stream.next_out = reinterpret_cast<char*>(
        decoded.data() + (decoded.size() - room.size() - free));
    while (result != BZ_STREAM_END) {
      take(stream, rest);
      give(stream, room);
      if (stream.avail_out == 0) {
        is_full = true;
        stream.next_out = reinterpret_cast<char*>(&none);
        stream.avail_out = 1;
      }
      const unsigned before = stream.avail_in + stream.avail_out;
      result = BZ2_bzDecompress(&stream);
      if (is_full && stream.avail_out == 0)
        throw corrupt_data(name(), fmt::format("decodes to more than {} bytes",
                                               decoded.size()));
      if (result != BZ_OK && result != BZ_STREAM_END)
        throw corrupt_data(name(), "damaged stream");
      if (result == BZ_OK && rest.empty() &&
          before == stream.avail_in + stream.avail_out)
        throw corrupt_data(name(), "truncated stream");
    }
    free = is_full ? 0 : stream.avail_out;
    encoded = encoded.last(rest.size() + stream.avail_in);
  }
  return static_cast<std::int64_t>(decoded.size() - room.size() - free);
}

std::unique_ptr<Codec> make_bz2(const Configuration& configuration,
                                std::int64_t) {
  return std::make_unique<Bz2>(
      static_cast<int>(configuration.integer("level", 1, {1, kMostBlocks})));
}

CodecCosts bz2_costs(const Configuration&) { return {25, 80, 0.35}; }

std::string bz2_from_words(const CodecWords& words) {
  return fmt::format(R"({{"level":{}}})",
                     level_word(words, 1, 1, {1, kMostBlocks}));
}

constexpr CodecMember kBz2Members[] = {{.key = "level",
                                        .value = CodecMember::Value::kInteger,
                                        .min = 1,
                                        .max = kMostBlocks,
                                        .shown = true}};

constexpr CodecRow kBz2Rows[] = {
    {.name = "numcodecs.bz2",
     .kind = CodecKind::kBytesToBytes,
     .native = NativeCodec{make_bz2, bz2_costs},
     .short_form = ShortForm{"bz2", 2, "bz2:1", bz2_from_words},
     .members = kBz2Members},
};

}  // namespace

CodecRows bz2_codecs() { return kBz2Rows; }

}  // namespace rechunk

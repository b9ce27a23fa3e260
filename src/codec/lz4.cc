#include <fmt/format.h>
#include <lz4.h>

#include <algorithm>

#include "codec/codec_words.h"
#include "codec/codecs.h"
#include "rechunk/shape.h"

namespace rechunk {
namespace {

constexpr std::int64_t kHeaderBytes = 4;

const char* chars(const std::byte* bytes) {
  return reinterpret_cast<const char*>(bytes);
}
char* chars(std::byte* bytes) { return reinterpret_cast<char*>(bytes); }

/// numcodecs' form: u32 little-endian size, then one LZ4 block.
class Lz4 final : public Codec {
 public:
  explicit Lz4(int acceleration) : acceleration_(acceleration) {}

  std::string_view name() const override { return "lz4"; }

  std::int64_t most_decoded_bytes() const override {
    return LZ4_MAX_INPUT_SIZE;
  }
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override {
    // As LZ4_compressBound, but also for sizes that do not fit an int.
    return checked_add(decoded_bytes, decoded_bytes / 255 + 16 + kHeaderBytes);
  }

  std::int64_t scratch_bytes(std::int64_t) const override {
    return sizeof(LZ4_stream_t);
  }

  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override;
  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override;

 private:
  int acceleration_;
};

std::int64_t Lz4::encode(std::span<const std::byte> decoded,
                         std::span<std::byte> encoded) const {
  check_decoded_bytes(static_cast<std::int64_t>(decoded.size()));
  for (int i = 0; i < kHeaderBytes; ++i)
    encoded[i] = static_cast<std::byte>(decoded.size() >> (8 * i) & 255);
  const auto block = encoded.subspan(kHeaderBytes);
  const auto room = std::min<std::size_t>(block.size(), INT32_MAX);
  const int block_bytes = LZ4_compress_fast(
      chars(decoded.data()), chars(block.data()),
      static_cast<int>(decoded.size()), static_cast<int>(room), acceleration_);
  if (block_bytes <= 0)
    throw Error(ErrorKind::kInternal, "encoding with lz4: no room");
  return kHeaderBytes + block_bytes;
}

std::int64_t Lz4::decode(std::span<const std::byte> encoded,
                         std::span<std::byte> decoded) const {
  check_not_empty(name(), encoded);
  if (encoded.size() <= kHeaderBytes || encoded.size() > INT32_MAX)
    throw corrupt_data(name(), fmt::format("a buffer of {} bytes is no block",
                                           encoded.size()));
  std::uint32_t decoded_bytes = 0;
  for (int i = kHeaderBytes - 1; i >= 0; --i)
    decoded_bytes =
        decoded_bytes << 8 | std::to_integer<std::uint32_t>(encoded[i]);
  check_fits(name(), decoded_bytes, decoded.size());
  if (decoded_bytes > LZ4_MAX_INPUT_SIZE)
    throw corrupt_data(name(), "the size in the header is impossible");
  const auto block = encoded.subspan(kHeaderBytes);
  const int got = LZ4_decompress_safe(
      chars(block.data()), chars(decoded.data()),
      static_cast<int>(block.size()), static_cast<int>(decoded_bytes));
  if (got < 0) throw corrupt_data(name(), "damaged block");
  if (static_cast<std::uint32_t>(got) != decoded_bytes)
    throw corrupt_data(name(), fmt::format("decoded to {} bytes, expected {}",
                                           got, decoded_bytes));
  return got;
}

std::unique_ptr<Codec> make_lz4(const Configuration& configuration,
                                std::int64_t) {
  // The library clips the acceleration; numcodecs lets any integer pass.
  const auto acceleration =
      configuration.integer("acceleration", 1, {INT32_MIN, INT32_MAX});
  return std::make_unique<Lz4>(static_cast<int>(acceleration));
}

CodecCosts lz4_costs(const Configuration&) { return {0.3, 1.9, 0.5}; }

std::string lz4_from_words(const CodecWords& words) {
  return fmt::format(R"({{"acceleration":{}}})",
                     level_word(words, 1, 1, {1, 65537}));
}

constexpr CodecMember kLz4Members[] = {
    {.key = "acceleration", .value = CodecMember::Value::kInteger},
};

constexpr NativeCodec kLz4 = {make_lz4, lz4_costs};

constexpr CodecRow kLz4Rows[] = {
    {.name = "numcodecs.lz4",
     .kind = CodecKind::kBytesToBytes,
     .native = kLz4,
     .short_form = ShortForm{"lz4", 2, "lz4", lz4_from_words},
     .members = kLz4Members},
    renamed("lz4", kLz4),
};

}  // namespace

CodecRows lz4_codecs() { return kLz4Rows; }

}  // namespace rechunk

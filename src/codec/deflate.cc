// gzip and zlib: one stream format in two wrappers.
#include <fmt/format.h>
#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "codec/codec_words.h"
#include "codec/codecs.h"
#include "json/raw_json.h"

namespace rechunk {
namespace {

// The library does not tell its sizes. These are what 1.14 allocates at levels
// up to 9, rounded up (a test compares them).
constexpr std::int64_t kContextBytes = std::int64_t{3} << 18;
// What zlib takes to decode a stream, its window and a buffer.
constexpr std::int64_t kInflateBytes = std::int64_t{1} << 17;

struct FreeDeflate {
  void operator()(libdeflate_compressor* context) const {
    libdeflate_free_compressor(context);
  }
  void operator()(libdeflate_decompressor* context) const {
    libdeflate_free_decompressor(context);
  }
};
using Compressor = std::unique_ptr<libdeflate_compressor, FreeDeflate>;
using Decompressor = std::unique_ptr<libdeflate_decompressor, FreeDeflate>;

// A thread keeps the compressor of the level that it used last.
libdeflate_compressor* compressor(int level) {
  static thread_local Compressor context;
  static thread_local int context_level = -1;
  if (!context || context_level != level) {
    context.reset();
    context.reset(libdeflate_alloc_compressor(level));
    context_level = level;
  }
  if (!context) throw std::bad_alloc();
  return context.get();
}

libdeflate_decompressor* decompressor() {
  static thread_local Decompressor context;
  if (!context) context.reset(libdeflate_alloc_decompressor());
  if (!context) throw std::bad_alloc();
  return context.get();
}

struct Progress {
  std::size_t encoded_bytes = 0;
  std::size_t decoded_bytes = 0;
};

struct Wrapper {
  std::string_view name;
  decltype(&libdeflate_gzip_compress) compress;
  decltype(&libdeflate_gzip_decompress_ex) decompress;
  decltype(&libdeflate_gzip_compress_bound) compress_bound;
  bool allows_members;  ///< Streams may follow one another.
  int window_bits;      ///< What zlib calls the format.
};

constexpr Wrapper kGzip = {"gzip",
                           libdeflate_gzip_compress,
                           libdeflate_gzip_decompress_ex,
                           libdeflate_gzip_compress_bound,
                           true,
                           31};
constexpr Wrapper kZlib = {"zlib",
                           libdeflate_zlib_compress,
                           libdeflate_zlib_decompress_ex,
                           libdeflate_zlib_compress_bound,
                           false,
                           15};

// Goes over a stream with zlib, which refuses tables of codes that libdeflate
// takes.
void inflate_stream(const Wrapper& wrapper,
                    std::span<const std::byte> encoded) {
  z_stream stream{};
  if (inflateInit2(&stream, wrapper.window_bits) != Z_OK)
    throw std::bad_alloc();
  // Nobody needs these bytes, only whether zlib takes the stream.
  std::array<unsigned char, 32768> decoded;
  int result = Z_OK;
  while (result == Z_OK) {
    if (stream.avail_in == 0) {
      // zlib counts in 32 bits.
      constexpr std::size_t kMostBytes = std::size_t{1} << 30;
      const auto part = encoded.first(std::min(encoded.size(), kMostBytes));
      encoded = encoded.subspan(part.size());
      // The library does not write to what it reads.
      stream.next_in =
          reinterpret_cast<unsigned char*>(const_cast<std::byte*>(part.data()));
      stream.avail_in = static_cast<unsigned>(part.size());
    }
    stream.next_out = decoded.data();
    stream.avail_out = static_cast<unsigned>(decoded.size());
    result = inflate(&stream, Z_NO_FLUSH);
  }
  const std::string cause = stream.msg ? stream.msg : "truncated stream";
  inflateEnd(&stream);
  if (result != Z_STREAM_END) throw corrupt_data(wrapper.name, cause);
}

class Deflate final : public Codec {
 public:
  Deflate(const Wrapper& wrapper, int level, bool is_strict = false)
      : wrapper_(wrapper), level_(level), is_strict_(is_strict) {}

  std::string_view name() const override { return wrapper_.name; }

  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override {
    // Without a compressor the bound holds for every level.
    const std::size_t bound = wrapper_.compress_bound(
        nullptr, static_cast<std::size_t>(decoded_bytes));
    return static_cast<std::int64_t>(bound);
  }

  std::int64_t scratch_bytes(std::int64_t) const override {
    return kContextBytes + kInflateBytes;
  }

  std::shared_ptr<const Codec> strict() const override {
    return std::make_shared<Deflate>(wrapper_, level_, true);
  }

  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override;
  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override;

 private:
  Progress decode_stream(std::span<const std::byte> encoded,
                         std::span<std::byte> decoded) const;

  Wrapper wrapper_;
  int level_;
  bool is_strict_;
};

std::int64_t Deflate::encode(std::span<const std::byte> decoded,
                             std::span<std::byte> encoded) const {
  const std::size_t encoded_bytes =
      wrapper_.compress(compressor(level_), decoded.data(), decoded.size(),
                        encoded.data(), encoded.size());
  if (encoded_bytes == 0)
    throw Error(ErrorKind::kInternal,
                fmt::format("encoding with {}: no room", name()));
  return static_cast<std::int64_t>(encoded_bytes);
}

Progress Deflate::decode_stream(std::span<const std::byte> encoded,
                                std::span<std::byte> decoded) const {
  // The library takes no null pointer, not even for no bytes.
  std::byte none{};
  Progress progress;
  const auto result = wrapper_.decompress(
      decompressor(), encoded.data(), encoded.size(),
      decoded.empty() ? &none : decoded.data(), decoded.size(),
      &progress.encoded_bytes, &progress.decoded_bytes);
  if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
    throw corrupt_data(
        name(), fmt::format("decodes to more than {} bytes", decoded.size()));
  if (result != LIBDEFLATE_SUCCESS)
    throw corrupt_data(name(), "damaged or truncated stream");
  if (is_strict_)
    inflate_stream(wrapper_, encoded.first(progress.encoded_bytes));
  return progress;
}

std::int64_t Deflate::decode(std::span<const std::byte> encoded,
                             std::span<std::byte> decoded) const {
  check_not_empty(name(), encoded);
  Progress total = decode_stream(encoded, decoded);
  while (wrapper_.allows_members && total.encoded_bytes < encoded.size()) {
    const auto rest = encoded.subspan(total.encoded_bytes);
    // Writers may pad a file with zeros, which are no member.
    const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
    if (std::all_of(rest.begin(), rest.end(), is_zero)) break;
    const Progress member =
        decode_stream(rest, decoded.subspan(total.decoded_bytes));
    total.encoded_bytes += member.encoded_bytes;
    total.decoded_bytes += member.decoded_bytes;
  }
  if (!wrapper_.allows_members && total.encoded_bytes < encoded.size())
    throw corrupt_data(name(),
                       fmt::format("{} bytes follow the stream",
                                   encoded.size() - total.encoded_bytes));
  return static_cast<std::int64_t>(total.decoded_bytes);
}

std::unique_ptr<Codec> make_deflate(const Wrapper& wrapper,
                                    const Configuration& configuration) {
  constexpr int kDefaultLevel = 6;
  const auto level = configuration.integer("level", 1, {-1, 9});
  return std::make_unique<Deflate>(
      wrapper, level < 0 ? kDefaultLevel : static_cast<int>(level));
}

// RFC 1952, several members too, and RFC 1950.
std::unique_ptr<Codec> make_gzip(const Configuration& configuration,
                                 std::int64_t) {
  return make_deflate(kGzip, configuration);
}

std::unique_ptr<Codec> make_zlib(const Configuration& configuration,
                                 std::int64_t) {
  return make_deflate(kZlib, configuration);
}

CodecCosts deflate_costs(const Configuration& configuration) {
  const auto level = configuration.integer("level", 1, {INT32_MIN, INT32_MAX});
  return {1.4, 2.8 * std::pow(1.42, level), 0.35};
}

// What documents say.

std::string deflate_from_words(const CodecWords& words) {
  return fmt::format(R"({{"level":{}}})", level_word(words, 1, 5, {0, 9}));
}

CodecSpec chosen_gzip(nlohmann::ordered_json members) {
  return {"gzip", with_presets(members, {{"level", 1}}).dump()};
}

std::string gzip_from_v2(std::string_view json, std::int64_t) {
  // -1 is zlib's default level, which v3 has to name.
  const std::string level = raw_json::value_or(json, "level", "1");
  return fmt::format(R"({{"level": {}}})", level == "-1" ? "6" : level);
}

std::string gzip_to_v2(std::string_view configuration) {
  return fmt::format(R"({{"level": {}}})",
                     raw_json::value_or(configuration, "level", "1"));
}

constexpr CodecMember level_from(std::int64_t min) {
  return {.key = "level",
          .value = CodecMember::Value::kInteger,
          .min = min,
          .max = 9,
          .shown = true};
}

constexpr CodecMember kGzipMembers[] = {level_from(0)};
constexpr CodecMember kZlibMembers[] = {level_from(-1)};
constexpr NativeCodec kGzipCodec = {make_gzip, deflate_costs};
constexpr NativeCodec kZlibCodec = {make_zlib, deflate_costs};

constexpr CodecRow kDeflateRows[] = {
    {.name = "gzip",
     .kind = CodecKind::kBytesToBytes,
     .native = kGzipCodec,
     .short_form = ShortForm{"gzip", 2, "gzip:6", deflate_from_words},
     .members = kGzipMembers,
     .v2_id = "gzip",
     .from_v2 = gzip_from_v2,
     .to_v2 = gzip_to_v2,
     .chosen = chosen_gzip},
    renamed("numcodecs.gzip", kGzipCodec),
    {.name = "numcodecs.zlib",
     .kind = CodecKind::kBytesToBytes,
     .native = kZlibCodec,
     .short_form = ShortForm{"zlib", 2, "zlib:1", deflate_from_words},
     .members = kZlibMembers},
    renamed("zlib", kZlibCodec),
};

}  // namespace

CodecRows deflate_codecs() { return kDeflateRows; }

}  // namespace rechunk

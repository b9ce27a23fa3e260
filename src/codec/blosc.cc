#include <blosc.h>
#include <fmt/format.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "codec/blosc_text.h"
#include "codec/byte_reader.h"
#include "codec/codecs.h"
#include "codec/zstd_frames.h"
#include "rechunk/shape.h"

namespace rechunk {
namespace {

// The largest block that the library chooses by itself; versions before 1.12
// took twice that at level 9.
constexpr std::int64_t kMaxAutomaticBlockBytes = std::int64_t{1} << 20;
constexpr std::int64_t kMaxForeignBlockBytes = 2 * kMaxAutomaticBlockBytes;

struct BloscOptions {
  std::string compressor;
  int level = 5;
  int shuffle = BLOSC_SHUFFLE;
  std::int64_t type_bytes = 1;   ///< At most 255.
  std::int64_t block_bytes = 0;  ///< 0: the library's choice.
};

/// What the header of a buffer says, checked against the buffer's size.
struct Header {
  std::int64_t decoded_bytes = 0;
  std::int64_t block_bytes = 0;
  std::int64_t type_bytes = 0;
  bool is_stored = false;  ///< Not compressed at all.
  bool is_split = false;   ///< Each byte of an element has its own streams.
  bool is_zstd = false;
};

Header parse_header(std::span<const std::byte> encoded) {
  check_not_empty("blosc", encoded);
  Header header;
  std::size_t decoded_bytes = 0;
  if (blosc_cbuffer_validate(encoded.data(), encoded.size(), &decoded_bytes))
    throw corrupt_data("blosc", fmt::format("the header does not fit a buffer "
                                            "of {} bytes",
                                            encoded.size()));
  std::size_t encoded_bytes = 0, block_bytes = 0, type_bytes = 0;
  int flags = 0;
  blosc_cbuffer_sizes(encoded.data(), &decoded_bytes, &encoded_bytes,
                      &block_bytes);
  blosc_cbuffer_metainfo(encoded.data(), &type_bytes, &flags);
  header.decoded_bytes = static_cast<std::int64_t>(decoded_bytes);
  header.block_bytes = static_cast<std::int64_t>(block_bytes);
  header.type_bytes = static_cast<std::int64_t>(type_bytes);
  header.is_stored = flags & BLOSC_MEMCPYED;
  // The library returns only the three lowest flags.
  const int all_flags = std::to_integer<int>(encoded[2]);
  constexpr int kNotSplit = 0x10;
  header.is_split = !(all_flags & kNotSplit);
  header.is_zstd = all_flags >> 5 == BLOSC_ZSTD_FORMAT;
  if (type_bytes == 0 ||
      (decoded_bytes > 0 && (block_bytes == 0 || block_bytes > decoded_bytes)))
    throw corrupt_data("blosc", "impossible sizes in the header");
  return header;
}

// Checks what Debian's zstd does not. Later releases refuse such data.
void check_zstd_streams(const Header& header,
                        std::span<const std::byte> encoded) {
  if (!header.is_zstd || header.is_stored || header.decoded_bytes == 0) return;
  // The library splits only short elements in long blocks.
  const bool is_split = header.is_split && header.type_bytes <= 16 &&
                        header.block_bytes / header.type_bytes >= 128;
  ByteReader starts("blosc", encoded.subspan(BLOSC_MIN_HEADER_LENGTH));
  for (std::int64_t done = 0; done < header.decoded_bytes;
       done += header.block_bytes) {
    const std::int64_t bytes =
        std::min(header.block_bytes, header.decoded_bytes - done);
    const std::int64_t streams =
        is_split && bytes == header.block_bytes ? header.type_bytes : 1;
    ByteReader block("blosc", encoded);
    block.take(starts.number(4));
    for (std::int64_t stream = 0; stream < streams; ++stream) {
      const auto stream_bytes = static_cast<std::int64_t>(block.number(4));
      const auto frame = block.take(static_cast<std::uint64_t>(stream_bytes));
      if (stream_bytes != bytes / streams) check_zstd_frames(frame);
    }
  }
}

// The library takes aligned buffers for each call. glibc cuts them out of
// larger pieces (its bug 14581, until 2.38). The scraps go to the thread's
// cache, so the place never becomes whole again, and the heap grows with each
// chunk. If the cache is full, scraps are joined with their neighbours. So this
// fills the cache first.
void fill_thread_cache() {
  constexpr std::size_t kSmallestScrap = 24, kLargestScrap = 72, kStep = 16;
  constexpr std::size_t kCachedOfEach = 7;
  void* volatile scraps[kCachedOfEach];  // Volatile: pairs are not left out.
  for (auto bytes = kSmallestScrap; bytes <= kLargestScrap; bytes += kStep) {
    for (auto& scrap : scraps) scrap = std::malloc(bytes);
    for (auto& scrap : scraps) std::free(scrap);
  }
}

class Blosc final : public Codec {
 public:
  explicit Blosc(BloscOptions options) : options_(std::move(options)) {}

  std::string_view name() const override { return "blosc"; }
  std::int64_t most_decoded_bytes() const override {
    return BLOSC_MAX_BUFFERSIZE;
  }
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override;
  std::int64_t scratch_bytes(std::int64_t decoded_bytes) const override;
  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override;
  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override;

 private:
  std::int64_t compressor_bytes(std::int64_t block_bytes) const;
  Header read_header(std::span<const std::byte> encoded) const;

  BloscOptions options_;
};

std::int64_t Blosc::max_encoded_bytes(std::int64_t decoded_bytes) const {
  return checked_add(decoded_bytes, BLOSC_MAX_OVERHEAD);
}

// The header says how large a block is, and the library's buffers are as large.
// If blocks are larger than the configuration promises, these buffers would not
// be in the budget.
Header Blosc::read_header(std::span<const std::byte> encoded) const {
  const Header header = parse_header(encoded);
  const std::int64_t most =
      std::max(options_.block_bytes, kMaxForeignBlockBytes);
  if (header.block_bytes > most)
    throw corrupt_data(name(),
                       fmt::format("blocks of {} bytes, expected at most {}",
                                   header.block_bytes, most));
  return header;
}

std::int64_t Blosc::compressor_bytes(std::int64_t block_bytes) const {
  constexpr std::int64_t kOthersBytes = std::int64_t{1} << 19;
  constexpr std::int64_t kLz4Bytes = std::int64_t{1} << 15;
  if (options_.compressor == BLOSC_LZ4_COMPNAME) return kLz4Bytes;
  if (options_.compressor != BLOSC_ZSTD_COMPNAME) return kOthersBytes;
  // Blosc spreads its nine levels over the 22 of zstd and makes a context for
  // each block.
  constexpr int kMaxZstdLevel = 22;
  const int level =
      options_.level == 9 ? kMaxZstdLevel : std::max(2 * options_.level - 1, 1);
  const auto parameters = ZSTD_getCParams(
      level,
      static_cast<unsigned long long>(std::max<std::int64_t>(block_bytes, 1)),
      0);
  return static_cast<std::int64_t>(
      ZSTD_estimateCCtxSize_usingCParams(parameters) + ZSTD_estimateDCtxSize());
}

// Also right for buffers of other writers, if their blocks are as the
// configuration says.
std::int64_t Blosc::scratch_bytes(std::int64_t decoded_bytes) const {
  const std::int64_t block_bytes = std::min(
      decoded_bytes, std::max(options_.block_bytes, kMaxAutomaticBlockBytes));
  constexpr std::int64_t kFixedBytes = 4096;
  return 2 * block_bytes + 4 * options_.type_bytes + kFixedBytes +
         compressor_bytes(block_bytes);
}

std::int64_t Blosc::encode(std::span<const std::byte> decoded,
                           std::span<std::byte> encoded) const {
  check_decoded_bytes(static_cast<std::int64_t>(decoded.size()));
  const auto room =
      std::min(encoded.size(), decoded.size() + BLOSC_MAX_OVERHEAD);
  fill_thread_cache();
  // The library's other functions share a state, for which threads would wait.
  const int encoded_bytes = blosc_compress_ctx(
      options_.level, options_.shuffle,
      static_cast<std::size_t>(options_.type_bytes), decoded.size(),
      decoded.data(), encoded.data(), room, options_.compressor.c_str(),
      static_cast<std::size_t>(options_.block_bytes), /*numinternalthreads=*/1);
  if (encoded_bytes <= 0)
    throw Error(ErrorKind::kInternal,
                fmt::format("encoding with blosc: error {}", encoded_bytes));
  return encoded_bytes;
}

std::int64_t Blosc::decode(std::span<const std::byte> encoded,
                           std::span<std::byte> decoded) const {
  const Header header = read_header(encoded);
  check_fits(name(), static_cast<std::uint64_t>(header.decoded_bytes),
             decoded.size());
  fill_thread_cache();
  const int got =
      blosc_decompress_ctx(encoded.data(), decoded.data(), decoded.size(),
                           /*numinternalthreads=*/1);
  if (got != header.decoded_bytes)
    throw corrupt_data(name(), got < 0 ? "damaged block"
                                       : "decoded to another size than the "
                                         "header says");
  check_zstd_streams(header, encoded);
  return got;
}

int shuffle_from_text(const std::string& text) {
  if (text == "noshuffle") return BLOSC_NOSHUFFLE;
  if (text == "shuffle") return BLOSC_SHUFFLE;
  if (text == "bitshuffle") return BLOSC_BITSHUFFLE;
  throw Error(ErrorKind::kInvalidArgument,
              fmt::format("making codec blosc: \"shuffle\" is \"{}\", expected "
                          "noshuffle, shuffle or bitshuffle",
                          text));
}

// v3 has words, v2 has numbers.
int read_shuffle(const Configuration& configuration, std::int64_t item_bytes) {
  if (configuration.holds_text("shuffle"))
    return shuffle_from_text(configuration.text("shuffle", ""));
  constexpr int kAutomatic = -1;
  const auto number =
      configuration.integer("shuffle", BLOSC_SHUFFLE, {kAutomatic, 2});
  if (number != kAutomatic) return static_cast<int>(number);
  return item_bytes == 1 ? BLOSC_BITSHUFFLE : BLOSC_SHUFFLE;
}

std::string read_compressor(const Configuration& configuration) {
  auto compressor = configuration.text("cname", BLOSC_LZ4_COMPNAME);
  if (blosc_compname_to_compcode(compressor.c_str()) < 0)
    throw Error(ErrorKind::kUnsupported,
                fmt::format("making codec blosc: there is no compressor "
                            "\"{}\"; the library has {}",
                            compressor, blosc_list_compressors()));
  return compressor;
}

std::unique_ptr<Codec> make_blosc(const Configuration& configuration,
                                  std::int64_t item_bytes) {
  BloscOptions options;
  options.compressor = read_compressor(configuration);
  options.level = static_cast<int>(configuration.integer("clevel", 5, {0, 9}));
  options.shuffle = read_shuffle(configuration, item_bytes);
  const auto type_bytes = configuration.integer(
      "typesize", std::max<std::int64_t>(item_bytes, 1), {0, INT64_MAX});
  // The format has one byte for it. The library takes larger elements as single
  // bytes.
  options.type_bytes =
      type_bytes == 0 || type_bytes > BLOSC_MAX_TYPESIZE ? 1 : type_bytes;
  options.block_bytes = configuration.integer(
      "blocksize", 0, {0, static_cast<std::int64_t>(BLOSC_MAX_BLOCKSIZE)});
  return std::make_unique<Blosc>(std::move(options));
}

CodecCosts blosc_costs(const Configuration& configuration) {
  const std::string compressor = configuration.text("cname", "lz4");
  const auto level = static_cast<double>(
      configuration.integer("clevel", 5, {INT32_MIN, INT32_MAX}));
  if (compressor == "lz4") return {0.25, 0.5, 0.33};
  if (compressor == "blosclz") return {0.4, 0.9, 0.33};
  if (compressor == "lz4hc") return {0.4, 3 + level, 0.3};
  if (compressor == "zstd") return {0.7, 0.9 * std::pow(1.45, level), 0.27};
  return {1.9, 5 * std::pow(1.25, level), 0.27};  // zlib
}

constexpr CodecMember kBloscMembers[] = {
    {.key = "typesize",
     .value = CodecMember::Value::kInteger,
     .min = 1,
     .max = BLOSC_MAX_TYPESIZE},
    {.key = "cname", .value = CodecMember::Value::kText, .shown = true},
    {.key = "clevel",
     .value = CodecMember::Value::kInteger,
     .min = 0,
     .max = 9,
     .shown = true},
    {.key = "shuffle", .value = CodecMember::Value::kText, .shown = true},
    {.key = "blocksize",
     .value = CodecMember::Value::kInteger,
     .min = 0,
     .max = INT32_MAX},
};

constexpr NativeCodec kBlosc = {make_blosc, blosc_costs};

constexpr CodecRow kBloscRows[] = {
    {.name = "blosc",
     .kind = CodecKind::kBytesToBytes,
     .native = kBlosc,
     .short_form = ShortForm{"blosc", 4, "blosc:lz4:5, blosc:zstd:3:bitshuffle",
                             blosc_from_words},
     .members = kBloscMembers,
     .completed = completed_blosc,
     .canonical = canonical_blosc,
     .v2_id = "blosc",
     .from_v2 = blosc_from_v2,
     .to_v2 = blosc_to_v2,
     .chosen = chosen_blosc},
    renamed("numcodecs.blosc", kBlosc),
};

}  // namespace

CodecRows blosc_codecs() { return kBloscRows; }

}  // namespace rechunk

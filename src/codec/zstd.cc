// The estimates of context sizes belong to the static API of the library.
#define ZSTD_STATIC_LINKING_ONLY
#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cmath>

#include "codec/codec_words.h"
#include "codec/codecs.h"
#include "codec/zstd_frames.h"
#include "json/raw_json.h"
#include "rechunk/shape.h"

namespace rechunk {
namespace {

constexpr int kMaxLevel = 22;
constexpr int kMinLevel = -131072;

// A context that has grown beyond this is not kept for the next call: high
// levels on large buffers take hundreds of megabytes.
constexpr std::size_t kMaxKeptBytes = std::size_t{8} << 20;

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using CompressContext = std::unique_ptr<ZSTD_CCtx, FreeZstd>;
using DecompressContext = std::unique_ptr<ZSTD_DCtx, FreeZstd>;

CompressContext& compress_context() {
  static thread_local CompressContext context;
  if (!context) context.reset(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  return context;
}

ZSTD_DCtx* decompress_context() {
  static thread_local DecompressContext context;
  if (!context) context.reset(ZSTD_createDCtx());
  if (!context) throw std::bad_alloc();
  return context.get();
}

class Zstd final : public Codec {
 public:
  Zstd(int level, bool checksum) : level_(level), checksum_(checksum) {}

  std::string_view name() const override { return "zstd"; }
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override;
  std::int64_t scratch_bytes(std::int64_t decoded_bytes) const override;
  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override;
  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override;

 private:
  int level_;
  bool checksum_;
};

std::int64_t Zstd::max_encoded_bytes(std::int64_t decoded_bytes) const {
  // ZSTD_compressBound, and 4 bytes for the checksum.
  return checked_add(decoded_bytes, decoded_bytes / 256 + 64 + 4);
}

std::int64_t Zstd::scratch_bytes(std::int64_t decoded_bytes) const {
  const auto size = static_cast<unsigned long long>(decoded_bytes);
  const auto parameters = ZSTD_getCParams(level_, std::max(size, 1ULL), 0);
  std::size_t encode_bytes = ZSTD_estimateCCtxSize_usingCParams(parameters);
  // From this window on the library may match over long distances too.
  if (parameters.windowLog >= 27) encode_bytes += std::size_t{32} << 20;
  constexpr std::size_t kHeapOverheadBytes = 4096;
  return static_cast<std::int64_t>(encode_bytes + ZSTD_estimateDCtxSize() +
                                   kHeapOverheadBytes);
}

std::int64_t Zstd::encode(std::span<const std::byte> decoded,
                          std::span<std::byte> encoded) const {
  CompressContext& context = compress_context();
  // All codecs of this thread share the context.
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level_);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, checksum_);
  const std::size_t encoded_bytes =
      ZSTD_compress2(context.get(), encoded.data(), encoded.size(),
                     decoded.data(), decoded.size());
  if (ZSTD_sizeof_CCtx(context.get()) > kMaxKeptBytes) context.reset();
  if (ZSTD_isError(encoded_bytes))
    throw Error(ErrorKind::kInternal,
                fmt::format("encoding with zstd: {}",
                            ZSTD_getErrorName(encoded_bytes)));
  return static_cast<std::int64_t>(encoded_bytes);
}

std::int64_t Zstd::decode(std::span<const std::byte> encoded,
                          std::span<std::byte> decoded) const {
  check_not_empty(name(), encoded);
  // Takes any number of frames, with and without their content sizes.
  const std::size_t decoded_bytes =
      ZSTD_decompressDCtx(decompress_context(), decoded.data(), decoded.size(),
                          encoded.data(), encoded.size());
  if (ZSTD_isError(decoded_bytes)) {
    if (ZSTD_getErrorCode(decoded_bytes) == ZSTD_error_dstSize_tooSmall)
      throw corrupt_data(
          name(), fmt::format("decodes to more than {} bytes", decoded.size()));
    throw corrupt_data(name(), ZSTD_getErrorName(decoded_bytes));
  }
  check_zstd_frames(encoded);
  return static_cast<std::int64_t>(decoded_bytes);
}

std::unique_ptr<Codec> make_zstd_up_to(const Configuration& configuration,
                                       std::int64_t max_level) {
  const auto level = configuration.integer("level", 0, {kMinLevel, max_level});
  return std::make_unique<Zstd>(
      static_cast<int>(std::min<std::int64_t>(level, kMaxLevel)),
      configuration.boolean("checksum", false));
}

// Zarr v3 refuses levels above 22; numcodecs clips them.
std::unique_ptr<Codec> make_zstd(const Configuration& configuration,
                                 std::int64_t) {
  return make_zstd_up_to(configuration, kMaxLevel);
}

std::unique_ptr<Codec> make_numcodecs_zstd(const Configuration& configuration,
                                           std::int64_t) {
  return make_zstd_up_to(configuration, INT32_MAX);
}

CodecCosts zstd_costs(const Configuration& configuration) {
  const auto level = std::min<std::int64_t>(
      configuration.integer("level", 0, {INT32_MIN, INT32_MAX}), kMaxLevel);
  return {1.0, 1.8 * std::pow(1.25, level), 0.36};
}

// What documents say.

std::string zstd_from_words(const CodecWords& words) {
  const int level = level_word(words, 1, 0, {kMinLevel, kMaxLevel});
  return fmt::format(R"({{"level":{},"checksum":false}})", level);
}

CodecSpec chosen_zstd(nlohmann::ordered_json members) {
  members = with_presets(members, {{"level", 0}, {"checksum", false}});
  return {"zstd", members.dump()};
}

// GDAL writes a word.
std::string zstd_checksum(std::string_view json) {
  const std::string value = raw_json::value_or(json, "checksum", "false");
  if (value == "\"NO\"") return "false";
  if (value == "\"YES\"") return "true";
  return value;
}

std::string zstd_from_v2(std::string_view json, std::int64_t) {
  std::string level = raw_json::value_or(json, "level", "0");
  if (const auto number = raw_json::as_integer(level); number > kMaxLevel)
    level = std::to_string(kMaxLevel);
  return fmt::format(R"({{"level": {}, "checksum": {}}})", level,
                     zstd_checksum(json));
}

std::string zstd_to_v2(std::string_view configuration) {
  // TensorStore knows no member "checksum" in v2.
  const bool checksum =
      raw_json::value_or(configuration, "checksum", "false") == "true";
  return fmt::format(R"({{"level": {}{}}})",
                     raw_json::value_or(configuration, "level", "0"),
                     checksum ? R"(, "checksum": true)" : "");
}

std::string standard_zstd_v2(std::string_view json) {
  const auto checksum = raw_json::find(json, "checksum");
  if (!checksum || !raw_json::is_string(*checksum)) return std::string(json);
  const std::string without = raw_json::without_member(json, "checksum");
  const std::string value = zstd_checksum(json);
  return value == "false" ? without
                          : raw_json::with_member(without, "checksum", value);
}

std::string canonical_zstd(std::string_view configuration) {
  if (raw_json::find(configuration, "checksum").value_or("\"\"") != "\"\"")
    return std::string(configuration);
  return raw_json::with_member(configuration, "checksum", "false");
}

constexpr CodecMember kZstdMembers[] = {
    {.key = "level",
     .value = CodecMember::Value::kInteger,
     .min = kMinLevel,
     .max = kMaxLevel,
     .shown = true},
    {.key = "checksum", .value = CodecMember::Value::kBoolean},
};

constexpr CodecRow kZstdRows[] = {
    {.name = "zstd",
     .kind = CodecKind::kBytesToBytes,
     .native = NativeCodec{make_zstd, zstd_costs},
     .short_form = ShortForm{"zstd", 2, "zstd:3", zstd_from_words},
     .members = kZstdMembers,
     .canonical = canonical_zstd,
     .v2_id = "zstd",
     .from_v2 = zstd_from_v2,
     .to_v2 = zstd_to_v2,
     .standard_v2 = standard_zstd_v2,
     .chosen = chosen_zstd},
    renamed("numcodecs.zstd", {make_numcodecs_zstd, zstd_costs}),
};

}  // namespace

CodecRows zstd_codecs() { return kZstdRows; }

}  // namespace rechunk

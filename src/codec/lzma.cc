// numcodecs.lzma: what Python's lzma writes. Formats 1 (.xz) and 2 (.lzma).
#include <fmt/format.h>
#include <lzma.h>

#include <algorithm>

#include "codec/codec_words.h"
#include "codec/codecs.h"
#include "rechunk/shape.h"

namespace rechunk {
namespace {

enum Format { kAny = 0, kXz = 1, kAlone = 2 };

constexpr std::uint32_t kPresetLevels = 9;

struct LzmaStream {
  ~LzmaStream() { lzma_end(&state); }
  LzmaStream() = default;
  LzmaStream(const LzmaStream&) = delete;
  LzmaStream& operator=(const LzmaStream&) = delete;
  lzma_stream state = LZMA_STREAM_INIT;
};

std::uint8_t* lzma_bytes(const std::byte* bytes) {
  return reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes));
}

class Lzma final : public Codec {
 public:
  Lzma(Format format, lzma_check check, std::uint32_t preset)
      : format_(format), check_(check), preset_(preset) {}

  std::string_view name() const override { return "lzma"; }

  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override {
    // .lzma cannot store data as they are; random ones grow.
    if (format_ == kAlone)
      return checked_add(decoded_bytes, decoded_bytes / 3 + 256);
    return static_cast<std::int64_t>(
        lzma_stream_buffer_bound(static_cast<std::size_t>(decoded_bytes)));
  }
  std::int64_t scratch_bytes(std::int64_t decoded_bytes) const override {
    lzma_options_lzma options = options_for(decoded_bytes);
    const lzma_filter filters[] = {{filter_id(), &options},
                                   {LZMA_VLI_UNKNOWN, nullptr}};
    return static_cast<std::int64_t>(
        std::max(lzma_raw_encoder_memusage(filters), most_memory()));
  }

  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override;
  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override;

 private:
  lzma_vli filter_id() const {
    return format_ == kAlone ? LZMA_FILTER_LZMA1 : LZMA_FILTER_LZMA2;
  }
  // A dictionary that is larger than the data only takes memory. Decoders see
  // no difference.
  lzma_options_lzma options_for(std::int64_t decoded_bytes) const {
    lzma_options_lzma options;
    lzma_lzma_preset(&options, preset_);
    constexpr std::int64_t kLeast = LZMA_DICT_SIZE_MIN;
    options.dict_size = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(decoded_bytes, kLeast, options.dict_size));
    return options;
  }
  // What a decoder takes for the dictionary of the preset; of a larger one we
  // would not have known before.
  std::uint64_t most_memory() const {
    constexpr std::uint64_t kBeside = 1 << 20;
    return lzma_easy_decoder_memusage(preset_) + kBeside;
  }

  const Format format_;
  const lzma_check check_;
  const std::uint32_t preset_;
};

std::int64_t Lzma::encode(std::span<const std::byte> decoded,
                          std::span<std::byte> encoded) const {
  lzma_options_lzma options =
      options_for(static_cast<std::int64_t>(decoded.size()));
  const lzma_filter filters[] = {{filter_id(), &options},
                                 {LZMA_VLI_UNKNOWN, nullptr}};
  LzmaStream stream;
  const lzma_ret begun =
      format_ == kAlone ? lzma_alone_encoder(&stream.state, &options)
                        : lzma_stream_encoder(&stream.state, filters, check_);
  if (begun == LZMA_MEM_ERROR) throw std::bad_alloc();
  if (begun != LZMA_OK)
    throw Error(ErrorKind::kInvalidArgument,
                "encoding with lzma: the library refuses these settings");
  stream.state.next_in = lzma_bytes(decoded.data());
  stream.state.avail_in = decoded.size();
  stream.state.next_out = lzma_bytes(encoded.data());
  stream.state.avail_out = encoded.size();
  const lzma_ret ended = lzma_code(&stream.state, LZMA_FINISH);
  if (ended == LZMA_MEM_ERROR) throw std::bad_alloc();
  if (ended != LZMA_STREAM_END)
    throw Error(ErrorKind::kInternal, "encoding with lzma: no room");
  return static_cast<std::int64_t>(encoded.size() - stream.state.avail_out);
}

std::int64_t Lzma::decode(std::span<const std::byte> encoded,
                          std::span<std::byte> decoded) const {
  check_not_empty(name(), encoded);
  LzmaStream stream;
  const std::uint64_t memory = most_memory();
  const lzma_ret begun =
      format_ == kAlone
          ? lzma_alone_decoder(&stream.state, memory)
          : (format_ == kXz ? lzma_stream_decoder : lzma_auto_decoder)(
                &stream.state, memory, LZMA_CONCATENATED);
  if (begun != LZMA_OK) throw std::bad_alloc();
  std::uint8_t none = 0;  // Shows that there is more than was wanted.
  stream.state.next_in = lzma_bytes(encoded.data());
  stream.state.avail_in = encoded.size();
  stream.state.next_out = decoded.empty() ? &none : lzma_bytes(decoded.data());
  stream.state.avail_out = decoded.size();
  lzma_ret result = lzma_code(&stream.state, LZMA_FINISH);
  const std::uint64_t size = stream.state.total_out;
  if (result == LZMA_OK && stream.state.avail_out == 0) {
    stream.state.next_out = &none;
    stream.state.avail_out = 1;
    result = lzma_code(&stream.state, LZMA_FINISH);
  }
  if (stream.state.total_out > decoded.size())
    throw corrupt_data(
        name(), fmt::format("decodes to more than {} bytes", decoded.size()));
  if (result == LZMA_MEM_ERROR) throw std::bad_alloc();
  if (result == LZMA_MEMLIMIT_ERROR)
    throw corrupt_data(name(),
                       fmt::format("needs more memory than preset {} does",
                                   preset_ & LZMA_PRESET_LEVEL_MASK));
  if (result == LZMA_OK || result == LZMA_BUF_ERROR)
    throw corrupt_data(name(), "truncated stream");
  if (result != LZMA_STREAM_END) throw corrupt_data(name(), "damaged stream");
  if (stream.state.avail_in > 0)
    throw corrupt_data(name(), fmt::format("{} bytes follow the stream",
                                           stream.state.avail_in));
  return static_cast<std::int64_t>(size);
}

std::unique_ptr<Codec> make_lzma(const Configuration& configuration,
                                 std::int64_t) {
  const auto format = configuration.integer("format", kXz, {kAny, 3});
  if (format > kAlone || configuration.has("filters"))
    throw Error(ErrorKind::kUnsupported,
                "codec lzma: rechunk cannot decode it with filters of its own "
                "yet",
                kUndecodableHint);
  constexpr int kDefaultCheck = -1;
  const auto check = configuration.integer("check", kDefaultCheck, {-1, 15});
  const auto preset =
      configuration.integer("preset", LZMA_PRESET_DEFAULT, {0, UINT32_MAX});
  const auto flags = static_cast<std::uint32_t>(preset);
  if ((flags & LZMA_PRESET_LEVEL_MASK) > kPresetLevels ||
      (flags & ~(LZMA_PRESET_LEVEL_MASK | LZMA_PRESET_EXTREME)) != 0)
    throw Error(ErrorKind::kInvalidArgument,
                fmt::format("codec lzma: there is no preset {}", preset));
  return std::make_unique<Lzma>(
      static_cast<Format>(format),
      check < 0 ? LZMA_CHECK_CRC64 : static_cast<lzma_check>(check), flags);
}

CodecCosts lzma_costs(const Configuration&) { return {20, 200, 0.3}; }

std::string lzma_from_words(const CodecWords& words) {
  return fmt::format(
      R"({{"format":1,"check":-1,"preset":{},"filters":null}})",
      level_word(words, 1, LZMA_PRESET_DEFAULT, {0, kPresetLevels}));
}

constexpr CodecMember kLzmaMembers[] = {
    {.key = "format",
     .value = CodecMember::Value::kInteger,
     .min = 0,
     .max = 3},
    {.key = "check",
     .value = CodecMember::Value::kInteger,
     .min = -1,
     .max = 15},
    {.key = "preset",
     .value = CodecMember::Value::kInteger,
     .nullable = true,
     .min = 0,
     .max = UINT32_MAX,
     .shown = true},
    {.key = "filters", .value = CodecMember::Value::kList, .nullable = true}};

constexpr CodecRow kLzmaRows[] = {
    {.name = "numcodecs.lzma",
     .kind = CodecKind::kBytesToBytes,
     .native = NativeCodec{make_lzma, lzma_costs},
     .short_form = ShortForm{"lzma", 2, "lzma:6", lzma_from_words},
     .members = kLzmaMembers},
};

}  // namespace

CodecRows lzma_codecs() { return kLzmaRows; }

}  // namespace rechunk

// numcodecs.shuffle, and the shuffle of HDF5: the first bytes of all elements,
// then all second bytes, and so on. Compressors behind it find more to
// compress.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "codec/codec_words.h"
#include "codec/codecs.h"
#include "json/raw_json.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

constexpr std::size_t kLanes = 16;

// 16 elements of N bytes are N of these.
using Lanes = unsigned char __attribute__((vector_size(kLanes)));

template <std::size_t N>
using Block = std::array<Lanes, N>;

// Moves each byte of the second half behind the one of the first half that has
// its place. If bytes are numbered in binary, this rotates the digits of each
// number by one to the left.
template <std::size_t N>
Block<N> interleaved(const Block<N>& in) {
  Block<N> out;
  for (std::size_t i = 0; i < N / 2; ++i) {
    const Lanes a = in[i], b = in[i + N / 2];
    out[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4,
                                         20, 5, 21, 6, 22, 7, 23);
    out[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27,
                                             12, 28, 13, 29, 14, 30, 15, 31);
  }
  return out;
}

template <std::size_t N>
Block<N> rotated(Block<N> block, int digits) {
  for (int i = 0; i < digits; ++i) block = interleaved(block);
  return block;
}

constexpr int digits_of(std::size_t power) {
  return power == 1 ? 0 : 1 + digits_of(power / 2);
}

// The number of a byte is (element, byte) in one order and (byte, element) in
// the other.
template <std::size_t N>
std::size_t shuffle_blocks(const std::byte* in, std::byte* out,
                           std::size_t elements) {
  std::size_t at = 0;
  for (; at + kLanes <= elements; at += kLanes) {
    Block<N> block;
    std::memcpy(&block, in + at * N, sizeof block);
    block = rotated(block, digits_of(kLanes));
    for (std::size_t i = 0; i < N; ++i)
      std::memcpy(out + i * elements + at, &block[i], kLanes);
  }
  return at;
}

template <std::size_t N>
std::size_t unshuffle_blocks(const std::byte* in, std::byte* out,
                             std::size_t elements) {
  std::size_t at = 0;
  for (; at + kLanes <= elements; at += kLanes) {
    Block<N> block;
    for (std::size_t i = 0; i < N; ++i)
      std::memcpy(&block[i], in + i * elements + at, kLanes);
    block = rotated(block, digits_of(N));
    std::memcpy(out + at * N, &block, sizeof block);
  }
  return at;
}

using Blocks = std::size_t (*)(const std::byte* in, std::byte* out,
                               std::size_t elements);

// How many elements are done: none of other sizes.
Blocks blocks_of(std::size_t item_bytes, bool forth) {
  switch (item_bytes) {
    case 2:
      return forth ? shuffle_blocks<2> : unshuffle_blocks<2>;
    case 4:
      return forth ? shuffle_blocks<4> : unshuffle_blocks<4>;
    case 8:
      return forth ? shuffle_blocks<8> : unshuffle_blocks<8>;
    case 16:
      return forth ? shuffle_blocks<16> : unshuffle_blocks<16>;
    default:
      return nullptr;
  }
}

class Shuffle final : public Codec {
 public:
  explicit Shuffle(std::int64_t item_bytes)
      : item_bytes_(static_cast<std::size_t>(item_bytes)) {}

  std::string_view name() const override { return "shuffle"; }

  // HDF5 leaves the rest as it is, and so do we; numcodecs does not read it.
  void check_decoded_bytes(std::int64_t bytes) const override {
    if (bytes % static_cast<std::int64_t>(item_bytes_) != 0)
      throw Error(
          ErrorKind::kInvalidArgument,
          fmt::format("encoding with shuffle: {} bytes are no multiple of its "
                      "elementsize {}",
                      bytes, item_bytes_),
          "its elementsize is most often the size of the array's elements");
  }
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override {
    return decoded_bytes;
  }
  std::int64_t scratch_bytes(std::int64_t) const override { return 0; }

  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override {
    const std::byte* in = decoded.data();
    const std::size_t elements = decoded.size() / item_bytes_;
    const Blocks blocks = blocks_of(item_bytes_, true);
    const std::size_t done = blocks ? blocks(in, encoded.data(), elements) : 0;
    for (std::size_t i = 0; i < item_bytes_; ++i)
      for (std::size_t at = done; at < elements; ++at)
        encoded[i * elements + at] = in[at * item_bytes_ + i];
    return copy_rest(decoded, encoded);
  }

  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override {
    check_fits(name(), encoded.size(), decoded.size());
    const std::byte* in = encoded.data();
    const std::size_t elements = encoded.size() / item_bytes_;
    const Blocks blocks = blocks_of(item_bytes_, false);
    const std::size_t done = blocks ? blocks(in, decoded.data(), elements) : 0;
    for (std::size_t at = done; at < elements; ++at)
      for (std::size_t i = 0; i < item_bytes_; ++i)
        decoded[at * item_bytes_ + i] = in[i * elements + at];
    return copy_rest(encoded, decoded);
  }

 private:
  std::int64_t copy_rest(std::span<const std::byte> from,
                         std::span<std::byte> to) const {
    const auto rest = from.last(from.size() % item_bytes_);
    if (!rest.empty())
      std::memcpy(&to[from.size() - rest.size()], rest.data(), rest.size());
    return static_cast<std::int64_t>(from.size());
  }

  const std::size_t item_bytes_;
};

// Without a size, zarr-python takes that of the elements in v3, and 4 in v2.
std::unique_ptr<Codec> make_shuffle(const Configuration& configuration,
                                    std::int64_t item_bytes) {
  const auto size =
      configuration.integer("elementsize", item_bytes, {0, INT32_MAX});
  return std::make_unique<Shuffle>(std::max<std::int64_t>(size, 1));
}

std::string with_size(std::string_view json, std::string_view size) {
  return fmt::format(R"({{"elementsize": {}}})",
                     raw_json::value_or(json, "elementsize", size));
}

std::string shuffle_from_v2(std::string_view json, std::int64_t) {
  return with_size(json, "4");
}

std::string completed_shuffle(std::string_view configuration,
                              std::int64_t item_bytes) {
  return with_size(configuration, std::to_string(item_bytes));
}

std::string shuffle_to_v2(std::string_view configuration) {
  if (!raw_json::find(configuration, "elementsize"))
    throw Error(ErrorKind::kUnsupported,
                "Zarr v2 has no shuffle without an elementsize");
  return with_size(configuration, "4");
}

CodecCosts shuffle_costs(const Configuration&) { return {0.1, 0.1, 1}; }

std::string shuffle_from_words(const CodecWords& words) {
  return fmt::format(R"({{"elementsize":{}}})",
                     level_word(words, 1, 4, {1, INT32_MAX}));
}

constexpr CodecMember kShuffleMembers[] = {
    {.key = "elementsize",
     .value = CodecMember::Value::kInteger,
     .min = 0,
     .max = INT32_MAX,
     .shown = true},
};

constexpr CodecRow kShuffleRows[] = {
    {.name = "numcodecs.shuffle",
     .kind = CodecKind::kBytesToBytes,
     .native = NativeCodec{make_shuffle, shuffle_costs},
     .short_form = ShortForm{"shuffle", 2, "shuffle:4", shuffle_from_words},
     .members = kShuffleMembers,
     .completed = completed_shuffle,
     .v2_id = "shuffle",
     .from_v2 = shuffle_from_v2,
     .to_v2 = shuffle_to_v2},
};

}  // namespace

CodecRows shuffle_codecs() { return kShuffleRows; }

}  // namespace rechunk

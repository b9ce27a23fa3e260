// numcodecs.packbits: eight bool in a byte, the first one as the highest bit. A
// byte before them says how many bits of the last one are not used.
#include <fmt/format.h>

#include "codec/codecs.h"

namespace rechunk {
namespace {

constexpr std::size_t kBits = 8;

class Packbits final : public Codec {
 public:
  std::string_view name() const override { return "packbits"; }
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override {
    return 1 + decoded_bytes / 8 + (decoded_bytes % 8 > 0);
  }
  std::int64_t scratch_bytes(std::int64_t) const override { return 0; }

  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override {
    const std::size_t bytes = (decoded.size() + kBits - 1) / kBits;
    encoded[0] = static_cast<std::byte>(bytes * kBits - decoded.size());
    for (std::size_t i = 0; i < bytes; ++i) {
      std::byte packed{};
      for (std::size_t bit = 0; bit < kBits; ++bit) {
        const std::size_t at = i * kBits + bit;
        if (at >= decoded.size() || decoded[at] == std::byte{0}) continue;
        if (decoded[at] != std::byte{1})
          throw Error(ErrorKind::kInvalidArgument,
                      fmt::format("encoding with packbits: element {} of the "
                                  "chunk is neither true nor false",
                                  at),
                      "choose other codecs for the target");
        packed |= std::byte{0x80} >> bit;
      }
      encoded[1 + i] = packed;
    }
    return static_cast<std::int64_t>(1 + bytes);
  }

  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override {
    check_not_empty(name(), encoded);
    const auto unused = std::to_integer<std::size_t>(encoded[0]);
    const std::size_t bits = (encoded.size() - 1) * kBits;
    if (unused >= kBits || unused > bits)
      throw corrupt_data(
          name(), fmt::format("{} of {} bits are not used", unused, bits));
    const std::size_t count = bits - unused;
    check_fits(name(), count, decoded.size());
    for (std::size_t at = 0; at < count; ++at) {
      const std::byte mask = std::byte{0x80} >> (at % kBits);
      const bool is_set = (encoded[1 + at / kBits] & mask) != std::byte{0};
      decoded[at] = is_set ? std::byte{1} : std::byte{0};
    }
    return static_cast<std::int64_t>(count);
  }
};

std::unique_ptr<Codec> make_packbits(const Configuration&,
                                     std::int64_t item_bytes) {
  if (item_bytes != 1)
    throw Error(ErrorKind::kUnsupported,
                "codec packbits: it is for bool, and elements have " +
                    std::to_string(item_bytes) + " bytes",
                kUndecodableHint);
  return std::make_unique<Packbits>();
}

CodecCosts packbits_costs(const Configuration&) { return {0.7, 0.7, 0.125}; }

constexpr CodecRow kPackbitsRows[] = {
    {.name = "numcodecs.packbits",
     .kind = CodecKind::kArrayToArray,
     .native = NativeCodec{make_packbits, packbits_costs},
     .members = CodecMembers(),
     .encoded_item_bytes = 1},
};

}  // namespace

CodecRows packbits_codecs() { return kPackbitsRows; }

}  // namespace rechunk

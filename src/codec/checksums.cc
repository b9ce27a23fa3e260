// Checksums of numcodecs: four bytes, little-endian, before or behind the bytes
// that they protect.
#include "codec/checksums.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <cstring>

#include "codec/codecs.h"
#include "codec/crc32c.h"
#include "rechunk/shape.h"

namespace rechunk {
namespace {

constexpr std::size_t kSumBytes = 4;

using Bytes = std::span<const std::byte>;

std::uint32_t crc32(Bytes bytes) {
  return libdeflate_crc32(0, bytes.data(), bytes.size());
}

std::uint32_t adler32(Bytes bytes) {
  return libdeflate_adler32(1, bytes.data(), bytes.size());
}

std::uint32_t byte_at(Bytes bytes, std::size_t at) {
  return std::to_integer<std::uint32_t>(bytes[at]);
}

std::uint32_t folded(std::uint32_t sum) { return (sum & 0xFFFF) + (sum >> 16); }

// Of words of 16 bits, the first byte being the high one; a last byte without
// a partner is a high one, too. So many words cannot overflow the sums.
std::uint32_t fletcher32(Bytes bytes) {
  constexpr std::size_t kMostWords = 360;
  std::uint32_t sum = 0, sum_of_sums = 0;
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), 2 * kMostWords);
    for (std::size_t at = 0; at < count; at += 2) {
      sum += byte_at(bytes, at) << 8;
      if (at + 1 < count) sum += byte_at(bytes, at + 1);
      sum_of_sums += sum;
    }
    sum = folded(sum);
    sum_of_sums = folded(sum_of_sums);
    bytes = bytes.subspan(count);
  }
  return folded(sum_of_sums) << 16 | folded(sum);
}

using Sum = std::uint32_t (*)(Bytes, std::uint32_t seed);

class Checksum final : public Codec {
 public:
  Checksum(std::string_view name, Sum sum, std::uint32_t seed, bool at_start)
      : name_(name), sum_(sum), seed_(seed), at_start_(at_start) {}

  std::string_view name() const override { return name_; }
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override {
    return checked_add(decoded_bytes, kSumBytes);
  }
  std::int64_t scratch_bytes(std::int64_t) const override { return 0; }

  std::int64_t encode(Bytes decoded,
                      std::span<std::byte> encoded) const override {
    const std::uint32_t sum = sum_(decoded, seed_);
    const std::size_t payload = at_start_ ? kSumBytes : 0;
    if (!decoded.empty())
      std::memcpy(&encoded[payload], decoded.data(), decoded.size());
    const std::size_t at = at_start_ ? 0 : decoded.size();
    for (std::size_t i = 0; i < kSumBytes; ++i)
      encoded[at + i] = static_cast<std::byte>(sum >> (8 * i) & 255);
    return static_cast<std::int64_t>(decoded.size() + kSumBytes);
  }

  std::int64_t decode(Bytes encoded,
                      std::span<std::byte> decoded) const override {
    if (encoded.size() < kSumBytes)
      throw corrupt_data(
          name_,
          fmt::format("{} bytes are too few for a checksum", encoded.size()));
    const Bytes stored =
        at_start_ ? encoded.first(kSumBytes) : encoded.last(kSumBytes);
    const Bytes payload = at_start_ ? encoded.subspan(kSumBytes)
                                    : encoded.first(encoded.size() - kSumBytes);
    check_fits(name_, payload.size(), decoded.size());
    std::uint32_t expected = 0;
    for (std::size_t i = kSumBytes; i-- > 0;)
      expected = expected << 8 | byte_at(stored, i);
    if (const std::uint32_t sum = sum_(payload, seed_); sum != expected)
      throw corrupt_data(
          name_, fmt::format("mismatch (stored {:08x}, computed {:08x})",
                             expected, sum));
    if (!payload.empty())
      std::memcpy(decoded.data(), payload.data(), payload.size());
    return static_cast<std::int64_t>(payload.size());
  }

 private:
  const std::string_view name_;
  const Sum sum_;
  const std::uint32_t seed_;
  const bool at_start_;
};

template <std::uint32_t (*kSum)(Bytes)>
std::uint32_t without_seed(Bytes bytes, std::uint32_t) {
  return kSum(bytes);
}

bool is_at_start(const Configuration& configuration, std::string_view usual) {
  const std::string location = configuration.text("location", usual);
  if (location != "start" && location != "end")
    throw Error(ErrorKind::kInvalidArgument,
                "codec: \"location\" is neither start nor end");
  return location == "start";
}

std::unique_ptr<Codec> make_crc32(const Configuration& configuration,
                                  std::int64_t) {
  return std::make_unique<Checksum>("crc32", without_seed<crc32>, 0,
                                    is_at_start(configuration, "start"));
}

std::unique_ptr<Codec> make_adler32(const Configuration& configuration,
                                    std::int64_t) {
  return std::make_unique<Checksum>("adler32", without_seed<adler32>, 0,
                                    is_at_start(configuration, "start"));
}

std::unique_ptr<Codec> make_fletcher32(const Configuration&, std::int64_t) {
  return std::make_unique<Checksum>("fletcher32", without_seed<fletcher32>, 0,
                                    false);
}

// numcodecs takes a prefix of bytes, which JSON cannot hold.
std::unique_ptr<Codec> make_jenkins(const Configuration& configuration,
                                    std::int64_t) {
  if (configuration.has("prefix"))
    throw Error(ErrorKind::kUnsupported,
                "codec jenkins_lookup3: rechunk knows no prefix",
                kUndecodableHint);
  const auto seed = configuration.integer("initval", 0, {0, UINT32_MAX});
  return std::make_unique<Checksum>("jenkins_lookup3", jenkins_lookup3,
                                    static_cast<std::uint32_t>(seed), false);
}

CodecCosts fast_costs(const Configuration&) { return {0.2, 0.2, 1}; }
CodecCosts slow_costs(const Configuration&) { return {0.6, 0.6, 1}; }

constexpr CodecMember kLocation[] = {
    {.key = "location", .value = CodecMember::Value::kText, .nullable = true}};
constexpr CodecMember kJenkins[] = {{.key = "initval",
                                     .value = CodecMember::Value::kInteger,
                                     .min = 0,
                                     .max = UINT32_MAX},
                                    {.key = "prefix"}};

constexpr CodecRow row(std::string_view name, const NativeCodec& native,
                       CodecMembers members) {
  return {.name = name,
          .kind = CodecKind::kBytesToBytes,
          .native = native,
          .members = members};
}

constexpr CodecRow kChecksumRows[] = {
    row("numcodecs.crc32", {make_crc32, fast_costs}, kLocation),
    row("numcodecs.adler32", {make_adler32, fast_costs}, kLocation),
    row("numcodecs.fletcher32", {make_fletcher32, slow_costs}, {}),
    row("numcodecs.jenkins_lookup3", {make_jenkins, slow_costs}, kJenkins),
};

}  // namespace

std::unique_ptr<Codec> make_crc32c_at(const Configuration& configuration) {
  if (!is_at_start(configuration, "end")) return std::make_unique<Crc32c>();
  return std::make_unique<Checksum>("crc32c", without_seed<crc32c>, 0, true);
}

CodecRows checksum_codecs() { return kChecksumRows; }

}  // namespace rechunk

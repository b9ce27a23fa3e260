#include "codec/crc32c.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#include "codec/checksums.h"
#include "codec/codec_words.h"
#include "codec/codecs.h"
#include "rechunk/shape.h"

namespace rechunk {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Bits reversed.

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b]: what byte b contributes when k more bytes follow it.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ (crc & 1 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 255];
    }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t load_u32(const std::byte* bytes) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

void store_u32(std::byte* bytes, std::uint32_t value) {
  for (int i = 0; i < 4; ++i)
    bytes[i] = static_cast<std::byte>(value >> (8 * i) & 255);
}

std::uint32_t eight_by_table(std::uint32_t crc, const std::byte* bytes) {
  const std::uint32_t low = crc ^ load_u32(bytes);
  const std::uint32_t high = load_u32(bytes + 4);
  std::uint32_t next = 0;
  for (int i = 0; i < 4; ++i) {
    next ^= kTables[7 - i][low >> (8 * i) & 255];
    next ^= kTables[3 - i][high >> (8 * i) & 255];
  }
  return next;
}

#if defined(__x86_64__)
// One stream takes 8 bytes in 3 cycles. That is about as fast as memory, so
// more streams would not help.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_hardware(
    std::span<const std::byte> bytes) {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t crc = 0xffffffff;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  auto tail = static_cast<std::uint32_t>(crc);
  for (; left > 0; ++at, --left)
    tail = _mm_crc32_u8(tail, std::to_integer<std::uint8_t>(*at));
  return ~tail;
}

bool has_hardware() {
  static const bool has = __builtin_cpu_supports("sse4.2");
  return has;
}
#endif

}  // namespace

std::uint32_t crc32c_by_table(std::span<const std::byte> bytes) {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint32_t crc = 0xffffffff;
  for (; left >= 8; at += 8, left -= 8) crc = eight_by_table(crc, at);
  for (; left > 0; ++at, --left)
    crc = (crc >> 8) ^
          kTables[0][(crc ^ std::to_integer<std::uint32_t>(*at)) & 255];
  return ~crc;
}

std::uint32_t crc32c(std::span<const std::byte> bytes) {
#if defined(__x86_64__)
  if (has_hardware()) return crc32c_by_hardware(bytes);
#endif
  return crc32c_by_table(bytes);
}

std::int64_t Crc32c::seal(std::span<std::byte> buffer,
                          std::int64_t payload_bytes) const {
  const auto end = static_cast<std::size_t>(payload_bytes);
  store_u32(buffer.subspan(end, kTrailerBytes).data(),
            crc32c(buffer.first(end)));
  return payload_bytes + kTrailerBytes;
}

std::span<const std::byte> Crc32c::payload(
    std::span<const std::byte> encoded) const {
  if (encoded.size() < kTrailerBytes)
    throw corrupt_data(
        name(),
        fmt::format("{} bytes are too few for a checksum", encoded.size()));
  const auto bytes = encoded.first(encoded.size() - kTrailerBytes);
  const std::uint32_t stored = load_u32(bytes.data() + bytes.size());
  const std::uint32_t computed = crc32c(bytes);
  if (stored != computed)
    throw corrupt_data(name(), fmt::format("mismatch (stored {:08x}, computed "
                                           "{:08x})",
                                           stored, computed));
  return bytes;
}

std::int64_t Crc32c::max_encoded_bytes(std::int64_t decoded_bytes) const {
  return checked_add(decoded_bytes, kTrailerBytes);
}

std::int64_t Crc32c::scratch_bytes(std::int64_t) const { return 0; }

std::int64_t Crc32c::encode(std::span<const std::byte> decoded,
                            std::span<std::byte> encoded) const {
  if (!decoded.empty())
    std::memcpy(encoded.data(), decoded.data(), decoded.size());
  return seal(encoded, static_cast<std::int64_t>(decoded.size()));
}

std::int64_t Crc32c::decode(std::span<const std::byte> encoded,
                            std::span<std::byte> decoded) const {
  const auto bytes = payload(encoded);
  check_fits(name(), bytes.size(), decoded.size());
  if (!bytes.empty()) std::memcpy(decoded.data(), bytes.data(), bytes.size());
  return static_cast<std::int64_t>(bytes.size());
}

namespace {

std::unique_ptr<Codec> make_crc32c(const Configuration&, std::int64_t) {
  return std::make_unique<Crc32c>();
}

CodecCosts crc32c_costs(const Configuration&) { return {0.1, 0.1, 1}; }

std::string crc32c_from_words(const CodecWords&) { return "{}"; }

// The codec of v3 has no location: its checksum is always at the end.
CodecSpec chosen_crc32c(nlohmann::ordered_json members) {
  if (members.value("location", nlohmann::ordered_json("end")) != "end")
    return {"numcodecs.crc32c", members.dump()};
  members.erase("location");
  return {"crc32c", members.dump()};
}

constexpr CodecMember kNumcodecsMembers[] = {
    {.key = "location", .value = CodecMember::Value::kText, .nullable = true},
};

std::unique_ptr<Codec> make_numcodecs_crc32c(const Configuration& configuration,
                                             std::int64_t) {
  return make_crc32c_at(configuration);
}

constexpr NativeCodec kCrc32c = {make_crc32c, crc32c_costs};

constexpr CodecRow kCrc32cRows[] = {
    {.name = "crc32c",
     .kind = CodecKind::kBytesToBytes,
     .native = kCrc32c,
     .short_form = ShortForm{"crc32c", 1, "crc32c", crc32c_from_words},
     .members = CodecMembers(),
     .is_bare = true},
    {.name = "numcodecs.crc32c",
     .kind = CodecKind::kBytesToBytes,
     .native = NativeCodec{make_numcodecs_crc32c, crc32c_costs},
     .members = kNumcodecsMembers,
     .chosen = chosen_crc32c},
};

}  // namespace

CodecRows crc32c_codecs() { return kCrc32cRows; }

}  // namespace rechunk

// The hash of Bob Jenkins, http://burtleburtle.net/bob/c/lookup3.c: three words
// take in twelve bytes at a time, and are mixed.
#include <bit>

#include "codec/checksums.h"

namespace rechunk {
namespace {

struct Words {
  std::uint32_t a, b, c;
};

// Each word loses one, is mixed with the rotated one, and the other grows.
void turn(std::uint32_t& x, std::uint32_t& y, const std::uint32_t& z,
          int bits) {
  x -= y;
  x ^= std::rotl(y, bits);
  y += z;
}

void mix(Words& w) {
  turn(w.a, w.c, w.b, 4);
  turn(w.b, w.a, w.c, 6);
  turn(w.c, w.b, w.a, 8);
  turn(w.a, w.c, w.b, 16);
  turn(w.b, w.a, w.c, 19);
  turn(w.c, w.b, w.a, 4);
}

void stir(std::uint32_t& x, std::uint32_t y, int bits) {
  x ^= y;
  x -= std::rotl(y, bits);
}

void finish(Words& w) {
  stir(w.c, w.b, 14);
  stir(w.a, w.c, 11);
  stir(w.b, w.a, 25);
  stir(w.c, w.b, 16);
  stir(w.a, w.c, 4);
  stir(w.b, w.a, 14);
  stir(w.c, w.b, 24);
}

// Little-endian; what is not there counts as zero.
std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4 && at + i < bytes.size(); ++i)
    word |= std::to_integer<std::uint32_t>(bytes[at + i]) << (8 * i);
  return word;
}

}  // namespace

std::uint32_t jenkins_lookup3(std::span<const std::byte> bytes,
                              std::uint32_t seed) {
  constexpr std::size_t kBlockBytes = 12;
  const std::uint32_t start =
      0xdeadbeef + static_cast<std::uint32_t>(bytes.size()) + seed;
  Words words{start, start, start};
  while (!bytes.empty()) {
    words.a += word_at(bytes, 0);
    words.b += word_at(bytes, 4);
    words.c += word_at(bytes, 8);
    if (bytes.size() <= kBlockBytes) {
      finish(words);
      break;
    }
    mix(words);
    bytes = bytes.subspan(kBlockBytes);
  }
  return words.c;
}

}  // namespace rechunk

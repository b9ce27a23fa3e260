#include "codec/zstd_frames.h"

#include <algorithm>
#include <cstdint>

#include "codec/byte_reader.h"

namespace rechunk {
namespace {

constexpr std::uint64_t kMagic = 0xFD2FB528;
constexpr std::uint64_t kSkippableMagic = 0x184D2A50;  // Or one of 15 more.
constexpr std::uint64_t kLargestWindow = std::uint64_t{1} << 27;

[[noreturn]] void fail(const char* what) { throw corrupt_data("zstd", what); }

// RFC 8878, section 3.1.1.3.1: literals come first.
void skip_literals(ByteReader& block) {
  const std::uint64_t first = block.number(1);
  const auto type = first & 3, format = first >> 2 & 3;
  if (type < 2) {  // As they are, or one byte that is repeated.
    // The size has 5, 12 or 20 bits.
    const std::size_t more = format == 1 ? 1 : format == 3 ? 2 : 0;
    const std::uint64_t header = first | block.number(more) << 8;
    block.take(type == 1 ? 1 : header >> (more == 0 ? 3 : 4));
    return;
  }
  // Two sizes of 10, 14 or 18 bits. The second is that of the encoded bytes.
  const std::size_t more = std::max<std::size_t>(2, format + 1);
  const std::size_t width = format < 2 ? 10 : 6 + 4 * format;
  const std::uint64_t header = first | block.number(more) << 8;
  block.take(header >> (4 + width) & ((1U << width) - 1));
}

// RFC 8878, section 3.1.1.3.2.1: the number of sequences comes first. Their
// modes follow, whose last two bits are reserved.
void check_block(ByteReader block) {
  skip_literals(block);
  const std::uint64_t count = block.number(1);
  if (count == 0) return;
  if (count > 127) block.number(count == 255 ? 2 : 1);
  if (block.number(1) & 3) fail("a reserved bit is set");
}

// RFC 8878, section 3.1.1.1. True if a checksum ends the frame.
bool check_header(ByteReader& frame) {
  const std::uint64_t descriptor = frame.number(1);
  const bool single_segment = descriptor & 0x20;
  const std::uint64_t size_flag = descriptor >> 6;
  const bool tells_size = size_flag > 0 || single_segment;
  if (!single_segment) {
    const std::uint64_t window = frame.number(1);
    // A power of two, and as many eighths of it.
    const std::uint64_t base = std::uint64_t{1} << (10 + (window >> 3));
    if (!tells_size && base + base / 8 * (window & 7) > kLargestWindow)
      fail("a frame needs a window of more than 128 MiB");
  }
  constexpr std::size_t kIdBytes[] = {0, 1, 2, 4};
  frame.take(kIdBytes[descriptor & 3]);
  if (tells_size) frame.take(std::size_t{1} << size_flag);
  return descriptor & 4;
}

void check_frame(ByteReader& bytes) {
  const bool has_checksum = check_header(bytes);
  for (bool last = false; !last;) {
    const std::uint64_t header = bytes.number(3);
    last = header & 1;
    const std::uint64_t type = header >> 1 & 3, size = header >> 3;
    const auto content = bytes.take(type == 1 ? 1 : size);
    if (type == 2) check_block({"zstd", content});
  }
  if (has_checksum) bytes.take(4);
}

}  // namespace

void check_zstd_frames(std::span<const std::byte> encoded) {
  ByteReader bytes("zstd", encoded);
  while (!bytes.empty()) {
    const std::uint64_t magic = bytes.number(4);
    if (magic == kMagic)
      check_frame(bytes);
    else if ((magic & ~std::uint64_t{0xF}) == kSkippableMagic)
      bytes.take(bytes.number(4));
    else
      return;  // Of before version 0.8, with another layout.
  }
}

}  // namespace rechunk

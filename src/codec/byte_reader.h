// Reads encoded bytes that may contain anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "codec/configuration.h"

namespace rechunk {

class ByteReader {
 public:
  /// `codec`: what errors call the format.
  ByteReader(std::string_view codec, std::span<const std::byte> bytes)
      : codec_(codec), rest_(bytes) {}

  bool empty() const { return rest_.empty(); }

  /// The next bytes. Throws: corrupt (there are not so many).
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > rest_.size()) throw corrupt_data(codec_, "it ends early");
    const auto taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  /// A little-endian number of up to 8 bytes. Throws: corrupt.
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    int shift = 0;
    for (const std::byte byte : take(bytes)) {
      value |= std::to_integer<std::uint64_t>(byte) << shift;
      shift += 8;
    }
    return value;
  }

 private:
  std::string_view codec_;
  std::span<const std::byte> rest_;
};

}  // namespace rechunk

// A hash of bytes that come in parts, about as fast as memory is read.
//
// Four lanes take 16 bytes each in turn: a lane becomes the two halves, xored,
// of the 128-bit product of (first word ^ lane) and (second word ^ a constant),
// plus the lane as it was. The bytes are padded with zeros to a multiple of 64;
// their number is mixed in at the end. Tells damage, not malice.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace rechunk {

class ContentHash {
 public:
  void append(std::span<const std::byte> bytes);
  std::uint64_t value() const;
  std::int64_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kBlock = 64;
  using Lanes = std::array<std::uint64_t, 4>;

  static void add_block(Lanes& lanes, const std::byte* block);

  Lanes lanes_{0x452821E638D01377, 0xBE5466CF34E90C6C, 0xC0AC29B7C97C50DD,
               0x3F84D5B5B5470917};
  std::array<std::byte, kBlock> rest_{};  ///< Fewer than a block.
  std::size_t rest_bytes_ = 0;
  std::int64_t bytes_ = 0;
};

std::uint64_t content_hash(std::span<const std::byte> bytes);

/// Of a text and some numbers, in this order.
std::uint64_t content_hash(std::string_view text,
                           std::initializer_list<std::uint64_t> numbers);

}  // namespace rechunk

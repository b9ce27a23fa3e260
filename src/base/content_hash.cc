#include "base/content_hash.h"

#include <algorithm>
#include <cstring>

namespace rechunk {
namespace {

// The first digits of the square roots of 2, 3, 5 and 7.
constexpr std::array<std::uint64_t, 4> kConstants = {
    0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1};

__extension__ using Product = unsigned __int128;

inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Product product = static_cast<Product>(a) * b;
  return static_cast<std::uint64_t>(product) ^
         static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

void ContentHash::add_block(Lanes& lanes, const std::byte* block) {
  std::uint64_t words[8];
  std::memcpy(words, block, sizeof words);
  for (std::size_t i = 0; i < lanes.size(); ++i)
    lanes[i] += fold(words[2 * i] ^ lanes[i], words[2 * i + 1] ^ kConstants[i]);
}

void ContentHash::append(std::span<const std::byte> bytes) {
  bytes_ += static_cast<std::int64_t>(bytes.size());
  if (rest_bytes_ > 0) {
    const std::size_t part = std::min(bytes.size(), kBlock - rest_bytes_);
    std::memcpy(rest_.data() + rest_bytes_, bytes.data(), part);
    rest_bytes_ += part;
    bytes = bytes.subspan(part);
    if (rest_bytes_ < kBlock) return;
    add_block(lanes_, rest_.data());
    rest_bytes_ = 0;
  }
  // A copy, so that the loop keeps it in registers.
  Lanes lanes = lanes_;
  for (; bytes.size() >= kBlock; bytes = bytes.subspan(kBlock))
    add_block(lanes, bytes.data());
  lanes_ = lanes;
  if (bytes.empty()) return;
  std::memcpy(rest_.data(), bytes.data(), bytes.size());
  rest_bytes_ = bytes.size();
}

std::uint64_t ContentHash::value() const {
  Lanes lanes = lanes_;
  if (rest_bytes_ > 0) {
    std::array<std::byte, kBlock> block{};
    std::memcpy(block.data(), rest_.data(), rest_bytes_);
    add_block(lanes, block.data());
  }
  std::uint64_t value = static_cast<std::uint64_t>(bytes_);
  for (std::size_t i = 0; i < lanes.size(); ++i)
    value = fold(value ^ lanes[i], kConstants[i]) + lanes[i];
  return fold(value ^ (value >> 32), kConstants[1]);
}

std::uint64_t content_hash(std::span<const std::byte> bytes) {
  ContentHash hash;
  hash.append(bytes);
  return hash.value();
}

std::uint64_t content_hash(std::string_view text,
                           std::initializer_list<std::uint64_t> numbers) {
  ContentHash hash;
  hash.append(std::as_bytes(std::span<const char>(text)));
  // The length separates the text from the numbers.
  const std::uint64_t bytes = text.size();
  hash.append(std::as_bytes(std::span<const std::uint64_t>(&bytes, 1)));
  for (const std::uint64_t number : numbers)
    hash.append(std::as_bytes(std::span<const std::uint64_t>(&number, 1)));
  return hash.value();
}

}  // namespace rechunk

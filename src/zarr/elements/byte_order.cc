#include "zarr/elements/byte_order.h"

#include <algorithm>
#include <cstring>

namespace rechunk {
namespace {

template <class Word>
void swap_words(std::span<std::byte> elements) noexcept {
  for (std::size_t at = 0; at + sizeof(Word) <= elements.size();
       at += sizeof(Word)) {
    // Elements need not be aligned, so they are copied.
    Word word;
    std::memcpy(&word, elements.data() + at, sizeof word);
    if constexpr (sizeof(Word) == 2) word = __builtin_bswap16(word);
    if constexpr (sizeof(Word) == 4) word = __builtin_bswap32(word);
    if constexpr (sizeof(Word) == 8) word = __builtin_bswap64(word);
    std::memcpy(elements.data() + at, &word, sizeof word);
  }
}

}  // namespace

ByteSwap::ByteSwap(const std::vector<DataType::Scalar>& from,
                   const std::vector<DataType::Scalar>& to) {
  for (std::size_t index = 0; index < from.size(); ++index) {
    const DataType::Scalar& scalar = from[index];
    if (scalar.swappable && scalar.big_endian != to[index].big_endian)
      parts_.push_back({item_bytes_, scalar.bytes});
    item_bytes_ += scalar.bytes;
  }
  std::int64_t swapped = 0;
  for (const Part& part : parts_) swapped += part.bytes;
  // Elements of equal numbers are swapped word by word, which is faster.
  const bool uniform =
      swapped == item_bytes_ &&
      std::all_of(parts_.begin(), parts_.end(), [&](const Part& part) {
        return part.bytes == parts_.front().bytes;
      });
  if (uniform && !parts_.empty()) uniform_bytes_ = parts_.front().bytes;
}

void ByteSwap::apply(std::span<std::byte> elements) const noexcept {
  if (!needed()) return;
  switch (uniform_bytes_) {
    case 2:
      return swap_words<std::uint16_t>(elements);
    case 4:
      return swap_words<std::uint32_t>(elements);
    case 8:
      return swap_words<std::uint64_t>(elements);
    default:
      break;
  }
  for (auto element = elements.begin(); element < elements.end();
       element += item_bytes_)
    for (const Part& part : parts_)
      std::reverse(element + part.offset, element + part.offset + part.bytes);
}

}  // namespace rechunk

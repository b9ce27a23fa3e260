// Types of numbers as numpy names them, and numbers in memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

namespace rechunk {

/// "<i4", "|b1", ">f8", "int32": a type that the processor has.
struct NumberType {
  char kind = 'i';  ///< i, u or f, as numpy says it; b is a u of one byte.
  std::int64_t bytes = 0;
  bool is_swapped = false;

  friend bool operator==(const NumberType&, const NumberType&) = default;
};

/// Nothing: it is another type.
std::optional<NumberType> parse_number_type(std::string_view text);

/// Calls `use` with a value of the C++ type.
template <typename Use>
auto with_type(const NumberType& type, Use&& use) {
  switch (type.kind) {
    case 'f':
      return type.bytes == 4 ? use(float()) : use(double());
    case 'i':
      return type.bytes == 1   ? use(std::int8_t())
             : type.bytes == 2 ? use(std::int16_t())
             : type.bytes == 4 ? use(std::int32_t())
                               : use(std::int64_t());
    default:
      return type.bytes == 1   ? use(std::uint8_t())
             : type.bytes == 2 ? use(std::uint16_t())
             : type.bytes == 4 ? use(std::uint32_t())
                               : use(std::uint64_t());
  }
}

template <typename Number>
Number load(const std::byte* at, bool is_swapped) {
  std::array<std::byte, sizeof(Number)> bytes;
  std::memcpy(bytes.data(), at, sizeof bytes);
  if (is_swapped) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<Number>(bytes);
}

template <typename Number>
void store(Number number, std::byte* at, bool is_swapped) {
  auto bytes = std::bit_cast<std::array<std::byte, sizeof(Number)>>(number);
  if (is_swapped) std::reverse(bytes.begin(), bytes.end());
  std::memcpy(at, bytes.data(), sizeof bytes);
}

// Of integers, C++ says what happens to those that do not fit. Of others it
// does not, so nothing fits them.
template <typename To, typename From>
std::optional<To> cast(From value) {
  if constexpr (std::integral<To> && std::floating_point<From>) {
    constexpr int kDigits = std::numeric_limits<To>::digits;
    const From end = std::ldexp(From(1), kDigits);
    const From begin = std::is_signed_v<To> ? -end : From(0);
    if (!(value >= begin && value < end)) return std::nullopt;
  }
  return static_cast<To>(value);
}

}  // namespace rechunk

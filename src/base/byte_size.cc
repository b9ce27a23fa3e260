#include "base/byte_size.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "rechunk/error.h"
#include "rechunk/shape.h"

namespace rechunk {
namespace {

constexpr std::string_view kPrefixes = "kmgtpe";

[[noreturn]] void fail(std::string_view text, std::string_view cause) {
  throw Error(ErrorKind::kInvalidArgument,
              fmt::format("reading size \"{}\": {}", text, cause),
              "write a number of bytes or a number and a unit, such as "
              "500MB, 2GiB or 1.5k");
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Bytes in one unit: "", "B", "k", "kB", "KiB", ... ; 0 if there is no such.
std::int64_t unit_bytes(std::string_view unit) {
  std::string lower;
  for (char c : unit)
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.ends_with('b')) lower.pop_back();
  if (lower.empty()) return 1;
  const auto power = kPrefixes.find(lower[0]);
  const std::string_view rest = std::string_view(lower).substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "i"))
    return 0;
  std::int64_t bytes = 1;
  for (std::size_t i = 0; i <= power; ++i) bytes *= rest.empty() ? 1000 : 1024;
  return bytes;
}

/// The exact value of a whole number. As a float, sizes above 2^53 would be
/// rounded.
std::int64_t scale_integer(std::string_view text, std::string_view number,
                           std::int64_t unit) {
  std::int64_t value = 0;
  const auto end = number.data() + number.size();
  const auto parsed = std::from_chars(number.data(), end, value);
  std::int64_t bytes = 0;
  if (parsed.ec != std::errc() || parsed.ptr != end ||
      __builtin_mul_overflow(value, unit, &bytes))
    fail(text, "it is more than 8 EiB");
  return bytes;
}

std::int64_t scale_fraction(std::string_view text, long double value,
                            std::int64_t unit) {
  const long double bytes = value * static_cast<long double>(unit);
  if (unit == 1 && bytes != std::floor(bytes))
    fail(text, "it is not a whole number of bytes");
  if (!(bytes < 9223372036854775807.0L)) fail(text, "it is more than 8 EiB");
  return static_cast<std::int64_t>(std::llround(bytes));
}

}  // namespace

std::int64_t parse_byte_size(std::string_view text) {
  const std::string_view size = trim(text);
  if (size.empty()) fail(text, "it is empty");
  if (size[0] == '-') fail(text, "it is negative");
  // `from_chars` would also read "inf" and "nan".
  if (!std::isdigit(static_cast<unsigned char>(size[0])) && size[0] != '.')
    fail(text, "it does not start with a number");
  long double value = 0;
  const auto parsed =
      std::from_chars(size.data(), size.data() + size.size(), value);
  if (parsed.ec == std::errc::result_out_of_range)
    fail(text, "the number is out of range");
  if (parsed.ec != std::errc()) fail(text, "it does not start with a number");
  const auto number_length = static_cast<std::size_t>(parsed.ptr - size.data());
  const std::string_view number = size.substr(0, number_length);
  const std::string_view unit = trim(size.substr(number_length));
  const std::int64_t scale = unit_bytes(unit);
  if (scale == 0) fail(text, fmt::format("\"{}\" is not a unit", unit));
  if (number.find_first_not_of("0123456789") == std::string_view::npos)
    return scale_integer(text, number, scale);
  return scale_fraction(text, value, scale);
}

std::string format_byte_size(std::int64_t bytes) {
  static constexpr std::array kUnits = {"B",   "KiB", "MiB", "GiB",
                                        "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // A size that would print as 1024 of a unit prints as 1 of the next.
  while (std::abs(value) >= (unit == 0 ? 1024 : 1023.5) &&
         unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  const double tenths = std::round(value * 10);
  const bool whole = std::abs(value) >= 99.95 || std::fmod(tenths, 10) == 0;
  return fmt::format("{:.{}f} {}", value, whole ? 0 : 1, kUnits[unit]);
}

std::string round_up_byte_size(std::int64_t bytes) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  constexpr std::int64_t kFewest = 10;  // Of a unit: it adds a tenth at most.
  std::size_t unit = 0;
  std::int64_t scale = 1;
  while (unit + 1 < kUnits.size() && bytes / scale >= 1024 * kFewest) {
    scale *= 1024;
    ++unit;
  }
  const std::int64_t count = bytes / scale + (bytes % scale == 0 ? 0 : 1);
  return fmt::format("{}{}", count, kUnits[unit]);
}

}  // namespace rechunk

#include "zarr/elements/float_format.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace rechunk {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Which bit patterns are not numbers.
enum class Special {
  kIeee,          ///< Highest exponent: infinities and NaN.
  kAllOnesNan,    ///< No infinity; NaN is all ones (the "fn" formats).
  kMinusZeroNan,  ///< No infinity, no -0: its pattern is NaN ("fnuz").
  kFinite,
  kExponentOnly,  ///< e8m0fnu: powers of two; all ones is NaN.
};

struct Format {
  std::string_view name;
  int bytes, exponent_bits, mantissa_bits, bias;
  Special special;
};

constexpr std::array kFormats = {
    Format{"float16", 2, 5, 10, 15, Special::kIeee},
    Format{"bfloat16", 2, 8, 7, 127, Special::kIeee},
    Format{"float32", 4, 8, 23, 127, Special::kIeee},
    Format{"float64", 8, 11, 52, 1023, Special::kIeee},
    Format{"float8_e3m4", 1, 3, 4, 3, Special::kIeee},
    Format{"float8_e4m3", 1, 4, 3, 7, Special::kIeee},
    Format{"float8_e5m2", 1, 5, 2, 15, Special::kIeee},
    Format{"float8_e4m3fn", 1, 4, 3, 7, Special::kAllOnesNan},
    Format{"float8_e4m3b11fnuz", 1, 4, 3, 11, Special::kMinusZeroNan},
    Format{"float8_e4m3fnuz", 1, 4, 3, 8, Special::kMinusZeroNan},
    Format{"float8_e5m2fnuz", 1, 5, 2, 16, Special::kMinusZeroNan},
    Format{"float8_e8m0fnu", 1, 8, 0, 127, Special::kExponentOnly},
    Format{"float6_e2m3fn", 1, 2, 3, 1, Special::kFinite},
    Format{"float6_e3m2fn", 1, 3, 2, 3, Special::kFinite},
    Format{"float4_e2m1fn", 1, 2, 1, 1, Special::kFinite},
};

const Format* find_format(std::string_view name) {
  const auto found =
      std::find_if(kFormats.begin(), kFormats.end(),
                   [&](const Format& format) { return format.name == name; });
  return found == kFormats.end() ? nullptr : &*found;
}

double decode(const Format& format, std::uint64_t bits) {
  const std::uint64_t mantissa_mask = (1ull << format.mantissa_bits) - 1;
  const std::uint64_t exponent_mask = (1ull << format.exponent_bits) - 1;
  const std::uint64_t mantissa = bits & mantissa_mask;
  const auto exponent =
      static_cast<int>(bits >> format.mantissa_bits & exponent_mask);
  const int top = static_cast<int>(exponent_mask);
  if (format.special == Special::kExponentOnly)
    return exponent == top ? kNan : std::ldexp(1.0, exponent - format.bias);
  const bool negative =
      bits >> (format.mantissa_bits + format.exponent_bits) & 1;
  const double sign = negative ? -1.0 : 1.0;
  if (format.special == Special::kIeee && exponent == top)
    return mantissa == 0 ? sign * kInfinity : kNan;
  if (format.special == Special::kAllOnesNan && exponent == top &&
      mantissa == mantissa_mask)
    return kNan;
  if (format.special == Special::kMinusZeroNan && negative && exponent == 0 &&
      mantissa == 0)
    return kNan;
  const double fraction =
      static_cast<double>(mantissa) +
      (exponent == 0 ? 0.0 : std::ldexp(1.0, format.mantissa_bits));
  return sign * std::ldexp(fraction, std::max(exponent, 1) - format.bias -
                                         format.mantissa_bits);
}

/// Rounds to the nearest number of an IEEE-like format, ties to even.
std::uint64_t encode_ieee(const Format& format, double value) {
  const std::uint64_t top = (1ull << format.exponent_bits) - 1;
  const std::uint64_t sign = static_cast<std::uint64_t>(std::signbit(value))
                             << (format.exponent_bits + format.mantissa_bits);
  if (std::isnan(value))
    return top << format.mantissa_bits | 1ull << (format.mantissa_bits - 1);
  if (value == 0) return sign;
  if (std::isinf(value)) return sign | top << format.mantissa_bits;
  int power = 0;
  std::frexp(value, &power);
  // Subnormal numbers have the exponent of the smallest normal ones.
  const int exponent = std::max(power - 1 + format.bias, 1);
  // In units of the last place. If rounding carries out of the mantissa, the
  // exponent grows by one. If it carries out of the exponent, this is infinity.
  const double units = std::nearbyint(std::ldexp(
      std::fabs(value), format.mantissa_bits + format.bias - exponent));
  const auto whole = static_cast<std::uint64_t>(units);
  const std::uint64_t bits =
      (static_cast<std::uint64_t>(exponent - 1) << format.mantissa_bits) +
      whole;
  return sign | std::min(bits, top << format.mantissa_bits);
}

bool same_number(double a, double b) {
  if (std::isnan(a)) return std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

}  // namespace

std::int64_t float_bytes(std::string_view name) {
  const Format* format = find_format(name);
  return format ? format->bytes : 0;
}

std::optional<std::uint64_t> float_bits(std::string_view name, double value) {
  const Format* format = find_format(name);
  if (!format) return {};
  if (format->bytes > 1 ||
      (format->special == Special::kIeee && std::isnan(value)))
    return encode_ieee(*format, value);
  // Formats of one byte differ in many ways. Trying all patterns is simpler.
  for (std::uint64_t bits = 0; bits < 256; ++bits)
    if (same_number(decode(*format, bits), value)) return bits;
  return {};
}

double float_value(std::string_view name, std::uint64_t bits) {
  const Format* format = find_format(name);
  return format ? decode(*format, bits) : 0.0;
}

}  // namespace rechunk

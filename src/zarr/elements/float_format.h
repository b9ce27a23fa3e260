// Floating-point formats by their v3 names, float64 down to 4 bits: bits from
// a number and back. One table; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rechunk {

/// Bytes of one such number ("float16", "float8_e5m2", ...); 0 if unknown.
std::int64_t float_bytes(std::string_view name);

/// The bits of the nearest number; nothing if the format has no such value
/// (infinity, NaN, or for formats of one byte any inexact number).
std::optional<std::uint64_t> float_bits(std::string_view name, double value);

/// The number that the bits mean.
double float_value(std::string_view name, std::uint64_t bits);

}  // namespace rechunk

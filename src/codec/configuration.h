// Reading a codec's configuration, and the errors that codecs share.
// Plain values; keys that a codec does not ask for are ignored, as readers of
// Zarr metadata must (v2 puts "id" among them).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "codec/codec.h"
#include "rechunk/error.h"

namespace rechunk {

/// Values that an integer may have, both ends included.
struct IntegerRange {
  std::int64_t min = 0;
  std::int64_t max = 0;
};

/// The parsed configuration of one codec. A key that is absent or null has
/// the fallback's value.
class Configuration {
 public:
  /// Throws: invalid_argument (not a JSON object).
  explicit Configuration(const CodecSpec& spec);

  /// Throws: invalid_argument (no integer, or outside of `range`).
  std::int64_t integer(const char* key, std::int64_t fallback,
                       IntegerRange range) const;
  /// Throws: invalid_argument (no number).
  double number(const char* key, double fallback) const;
  /// Throws: invalid_argument (no string).
  std::string text(const char* key, std::string_view fallback) const;
  /// Throws: invalid_argument (neither true nor false).
  bool boolean(const char* key, bool fallback) const;
  /// True if the key is there and is not null.
  bool has(const char* key) const { return find(key) != nullptr; }
  /// True if the key is there and is a string.
  bool holds_text(const char* key) const;

 private:
  [[noreturn]] void refuse(const char* key, const std::string& wanted) const;
  const nlohmann::json* find(const char* key) const;

  std::string name_;
  nlohmann::json values_;
};

/// "`codec`: `cause`", of the kind corrupt.
Error corrupt_data(std::string_view codec, std::string_view cause);

/// Throws: corrupt, if data that decode to `decoded_bytes` do not fit.
void check_fits(std::string_view codec, std::uint64_t decoded_bytes,
                std::size_t capacity_bytes);

/// Throws: corrupt, if there is nothing to decode.
void check_not_empty(std::string_view codec,
                     std::span<const std::byte> encoded);

}  // namespace rechunk

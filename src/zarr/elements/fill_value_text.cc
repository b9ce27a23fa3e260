#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/elements/base64.h"
#include "zarr/elements/element_type.h"
#include "zarr/elements/fill_value.h"
#include "zarr/elements/float_format.h"

namespace rechunk {
namespace {

using Kind = ElementType::Kind;
using Bytes = std::span<const std::byte>;

std::uint64_t load(Bytes number, bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < number.size() && i < 8; ++i) {
    const std::size_t place = big_endian ? number.size() - 1 - i : i;
    value |= std::to_integer<std::uint64_t>(number[place]) << (8 * i);
  }
  return value;
}

std::string format_integer(Bytes element, const ElementType& type) {
  const std::uint64_t value = load(element, type.big_endian);
  if (type.kind == Kind::kUnsigned) return std::to_string(value);
  const int unused = static_cast<int>(64 - 8 * element.size());
  // The two shifts extend the sign.
  return std::to_string(static_cast<std::int64_t>(value << unused) >> unused);
}

/// zarr-python 3.1 refuses numbers for times without a unit, also that of NaT.
std::string format_time(Bytes element, const ElementType& type) {
  constexpr std::string_view kNotATime = "-9223372036854775808";
  const std::string number = format_integer(element, type);
  return type.unit == "generic" && number == kNotATime ? "\"NaT\"" : number;
}

/// The shortest text that reads back as the same number. It always has a point
/// or an exponent, because readers take "-0" for an integer without a sign.
std::string shortest(double value, bool single) {
  std::string text = single ? fmt::format("{}", static_cast<float>(value))
                            : fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string format_float(Bytes number, const ElementType& type,
                         int zarr_format) {
  if (type.name.empty())
    throw Error(ErrorKind::kUnsupported,
                "a fill value of a long double cannot be converted");
  const std::uint64_t bits = load(number, type.big_endian);
  const double value = float_value(type.name, bits);
  if (!std::isnan(value) && !std::isinf(value))
    return shortest(value, type.name == "float32");
  const char* name = std::isnan(value) ? "NaN"
                     : value > 0       ? "Infinity"
                                       : "-Infinity";
  if (float_bits(type.name, value) == bits) return raw_json::quote(name);
  std::string hex = fmt::format("\"0x{:0{}x}\"", bits, 2 * number.size());
  if (zarr_format == 2)
    throw Error(ErrorKind::kUnsupported,
                fmt::format("Zarr v2 cannot express the fill value {}, a NaN "
                            "with a payload",
                            hex));
  return hex;
}

std::string format_text(Bytes element, const ElementType& type) {
  std::string json;
  std::size_t stop = element.size() / 4;
  const auto point = [&](std::size_t i) {
    return load(element.subspan(4 * i, 4), type.big_endian);
  };
  // Zeros at the end are padding.
  while (stop > 0 && point(stop - 1) == 0) --stop;
  for (std::size_t i = 0; i < stop; ++i) {
    const std::uint64_t code = point(i);
    // JSON escapes have 16 bits, so such a character takes two.
    if (code > 0xffff)
      json += fmt::format("\\u{:04x}\\u{:04x}",
                          0xd800 + ((code - 0x10000) >> 10 & 0x3ff),
                          0xdc00 + ((code - 0x10000) & 0x3ff));
    else if (code < 0x20 || code > 0x7e || code == '"' || code == '\\')
      json += fmt::format("\\u{:04x}", code);
    else
      json += static_cast<char>(code);
  }
  return '"' + json + '"';
}

std::string format(Bytes element, const ElementType& type, int zarr_format);

std::string format_fields(Bytes element, const ElementType& type) {
  std::string json;
  std::size_t at = 0;
  for (const Field& field : type.fields) {
    const auto bytes = static_cast<std::size_t>(field.type.bytes);
    json += fmt::format("{}{}: {}", json.empty() ? "" : ", ",
                        raw_json::quote(field.name),
                        format(element.subspan(at, bytes), field.type, 3));
    at += bytes;
  }
  return '{' + json + '}';
}

std::string format(Bytes element, const ElementType& type, int zarr_format) {
  const Bytes first = element.first(element.size() / 2);
  const Bytes second = element.last(element.size() / 2);
  switch (type.kind) {
    case Kind::kBool:
      return element[0] == std::byte{0} ? "false" : "true";
    case Kind::kInteger:
    case Kind::kUnsigned:
      return format_integer(element, type);
    case Kind::kTime:
      return format_time(element, type);
    case Kind::kFloat:
      return format_float(element, type, zarr_format);
    case Kind::kComplex:
      return fmt::format("[{}, {}]", format_float(first, type, zarr_format),
                         format_float(second, type, zarr_format));
    case Kind::kText:
      return format_text(element, type);
    case Kind::kStruct:
      if (zarr_format == 3) return format_fields(element, type);
      break;
    default:
      break;
  }
  return '"' + to_base64(element) + '"';
}

std::string hex(Bytes element) {
  std::string text = "0x";
  for (const std::byte value : element)
    text += fmt::format("{:02x}", std::to_integer<int>(value));
  return text;
}

/// The text of type S without padding; hexadecimal digits if it is not
/// printable.
std::string describe_bytes(Bytes element) {
  std::size_t size = element.size();
  while (size > 0 && element[size - 1] == std::byte{0}) --size;
  std::string text;
  for (const std::byte value : element.first(size)) {
    const auto letter = static_cast<char>(value);
    if (letter < ' ' || letter > '~') return hex(element);
    text += letter;
  }
  return raw_json::quote(text);
}

/// True if `format` makes something that people read.
bool is_readable(const ElementType& type) {
  switch (type.kind) {
    case Kind::kFloat:
    case Kind::kComplex:
      return !type.name.empty();
    case Kind::kStruct:
      return std::all_of(
          type.fields.begin(), type.fields.end(), [](const Field& field) {
            return field.shape.empty() && is_readable(field.type);
          });
    default:
      return type.kind <= Kind::kText && type.kind != Kind::kBytes;
  }
}

/// True if the token is what a format itself writes for such a number.
bool is_float_token(std::string_view json, int zarr_format) {
  if (raw_json::is_number(json)) return true;
  const auto text = raw_json::as_string(json);
  if (!text) return false;
  return *text == "NaN" || *text == "Infinity" || *text == "-Infinity" ||
         (zarr_format == 3 && text->starts_with("0x"));
}

/// True if every reader of the format reads the token, and reads it alike.
bool is_standard_token(const FillValue& fill, const ElementType& type,
                       int zarr_format) {
  const std::string_view json = fill.json;
  if (json == "null") return zarr_format == 2;
  switch (type.kind) {
    case Kind::kBool:
      return json == "true" || json == "false";
    case Kind::kInteger:
    case Kind::kUnsigned:
      return json == format_integer(fill.bits, type);
    case Kind::kTime:
      return json == format_time(fill.bits, type) || json == "\"NaT\"";
    case Kind::kFloat:
      return is_float_token(json, zarr_format);
    case Kind::kComplex: {
      if (!raw_json::is_list(json)) return false;
      const auto parts = raw_json::elements(json);
      return std::all_of(parts.begin(), parts.end(), [&](auto part) {
        return is_float_token(part, zarr_format);
      });
    }
    case Kind::kRaw:
      return raw_json::is_string(json) ||
             (zarr_format == 3 && raw_json::is_list(json));
    case Kind::kStruct:
      return raw_json::is_string(json) ||
             (zarr_format == 3 && raw_json::is_object(json));
    default:
      return raw_json::is_string(json);
  }
}

/// True if both formats read the token alike.
bool is_common_token(const FillValue& fill, const ElementType& type) {
  switch (type.kind) {
    case Kind::kComplex:
    case Kind::kRaw:
    case Kind::kStruct:
      return false;
    default:
      return is_standard_token(fill, type, 2) &&
             is_standard_token(fill, type, 3);
  }
}

}  // namespace

FillValue convert_fill_value(const FillValue& fill, const DataType& data_type,
                             int zarr_format) {
  const ElementType type = element_type(data_type);
  // v2 also writes these for the empty string.
  if (type.kind == Kind::kVariable && (fill.json == "null" || fill.json == "0"))
    return {"\"\"", {}};
  if (type.kind == Kind::kVariable && raw_json::is_string(fill.json))
    return fill;
  // The source's own text stays if both formats read it alike.
  if (!fill.bits.empty() && is_common_token(fill, type)) return fill;
  if (fill.bits.empty())
    throw Error(ErrorKind::kUnsupported,
                fmt::format("fill value {} of type {} cannot be converted",
                            raw_json::excerpt(fill.json), data_type.label()));
  return {format(fill.bits, type, zarr_format), fill.bits};
}

FillValue standard_fill_value(const FillValue& fill, const DataType& data_type,
                              int zarr_format) {
  if (fill.bits.empty()) return fill;
  const ElementType type = element_type(data_type);
  if (is_standard_token(fill, type, zarr_format)) return fill;
  return {format(fill.bits, type, zarr_format), fill.bits};
}

std::string describe_element(Bytes element, const DataType& data_type) {
  const ElementType type = element_type(data_type);
  if (type.kind == Kind::kBytes) return describe_bytes(element);
  return is_readable(type) ? format(element, type, 3) : hex(element);
}

}  // namespace rechunk

#include "zarr/elements/fill_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "json/raw_json.h"
#include "zarr/elements/base64.h"
#include "zarr/elements/element_type.h"
#include "zarr/elements/float_format.h"

namespace rechunk {
namespace {

using Kind = ElementType::Kind;
using MutableBytes = std::span<std::byte>;

bool encode(std::string_view json, const ElementType& type,
            MutableBytes element);

void store(std::uint64_t value, bool big_endian, MutableBytes number) {
  for (std::size_t i = 0; i < number.size(); ++i) {
    const std::size_t place = big_endian ? number.size() - 1 - i : i;
    number[place] = static_cast<std::byte>(i < 8 ? value >> (8 * i) : 0);
  }
}

/// As Python's bool(): any text is true, also "false".
bool encode_bool(std::string_view json, MutableBytes element) {
  const auto number = raw_json::as_number(json);
  const auto text = raw_json::as_string(json);
  const bool is_true =
      json == "true" || (number && *number != 0) || (text && !text->empty());
  element[0] = static_cast<std::byte>(is_true);
  return json == "false" || is_true || number || text;
}

/// Significant bits of an integer type; int2 and its like have fewer than the
/// byte that they take.
int significant_bits(const ElementType& type) {
  if (type.name.ends_with("int2")) return 2;
  if (type.name.ends_with("int4")) return 4;
  return static_cast<int>(8 * type.bytes);
}

/// Text without the white space and the plus sign that Python's numbers may
/// have.
std::string_view number_text(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  text = text.substr(first, text.find_last_not_of(kSpace) - first + 1);
  if (text.starts_with('+')) text.remove_prefix(1);
  return text;
}

/// The bits of a whole number of up to 64 bits, in two's complement. Takes 3,
/// 3.0, true, and the text "3". A float counts as a double.
std::optional<std::uint64_t> whole_number(std::string_view json) {
  if (json == "true" || json == "false") return json == "true";
  const auto text = raw_json::as_string(json);
  const std::string_view number = text ? number_text(*text) : json;
  if (text && number.find_first_of(".eE") != std::string_view::npos) return {};
  if (const auto value = raw_json::as_integer(number))
    return static_cast<std::uint64_t>(*value);
  if (const auto value = raw_json::as_unsigned(number)) return value;
  const auto value = raw_json::as_number(number);
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (!value || text || *value != std::trunc(*value)) return {};
  // Outside of this range, C++ does not define the conversion.
  if (*value >= -kLimit && *value < kLimit)
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(*value));
  if (*value >= kLimit && *value < 2 * kLimit)
    return static_cast<std::uint64_t>(*value);
  return {};
}

/// A number beyond the type's range keeps only its low bits, as in zarr-python
/// with NumPy 1. With NumPy 2, zarr-python cannot open such an array.
bool encode_integer(std::string_view json, const ElementType& type,
                    MutableBytes element) {
  const auto value = whole_number(json);
  if (!value) return false;
  const int unused = 64 - significant_bits(type);
  // Shifted up and down again, the upper bits become zeros or the sign.
  const std::uint64_t top = *value << unused;
  const std::uint64_t bits =
      type.kind == Kind::kUnsigned
          ? top >> unused
          : static_cast<std::uint64_t>(static_cast<std::int64_t>(top) >>
                                       unused);
  // NumPy has no int2 and int4, so there is no rule for what is left of them.
  const bool numpy_has_it = unused % 8 == 0;
  if (bits != *value && !numpy_has_it) return false;
  store(bits, type.big_endian, element);
  return true;
}

/// "0x7fc00001": the bits, most significant first, all digits written.
std::optional<std::uint64_t> hex_bits(std::string_view text,
                                      std::int64_t bytes) {
  if (bytes > 8 || static_cast<std::int64_t>(text.size()) != 2 + 2 * bytes ||
      !text.starts_with("0x"))
    return {};
  std::uint64_t bits = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 2, end, bits, 16);
  if (error != std::errc() || stop != end) return {};
  return bits;
}

/// What Python's float() makes of a text: a number, or a name in any letters.
std::optional<double> float_of_text(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::string name(number_text(text));
  for (char& letter : name)
    if (letter >= 'A' && letter <= 'Z') letter += 'a' - 'A';
  if (name == "nan" || name == "-nan")
    return std::numeric_limits<double>::quiet_NaN();
  if (name == "infinity" || name == "inf") return kInfinity;
  if (name == "-infinity" || name == "-inf") return -kInfinity;
  double value = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, value);
  if (error == std::errc::invalid_argument || stop != end) return {};
  if (error == std::errc::result_out_of_range)
    return raw_json::as_number(name);  // Too small, or too large.
  return value;
}

bool encode_float(std::string_view json, const ElementType& type,
                  MutableBytes number) {
  const auto text = raw_json::as_string(json);
  const auto size = static_cast<std::int64_t>(number.size());
  std::optional<std::uint64_t> bits;
  if (text) bits = hex_bits(*text, size);
  if (!bits) {
    // Readers parse -0 as the integer 0, which has no sign.
    const auto value = json == "-0" || json == "false" ? std::optional(0.0)
                       : json == "true"                ? std::optional(1.0)
                       : text                          ? float_of_text(*text)
                              : raw_json::as_number(json);
    if (!value) return false;
    bits = float_bits(type.name, *value);
  }
  if (!bits) return false;
  store(*bits, type.big_endian, number);
  return true;
}

bool encode_complex(std::string_view json, const ElementType& type,
                    MutableBytes element) {
  if (!raw_json::is_list(json)) return false;
  const auto parts = raw_json::elements(json);
  const std::size_t half = element.size() / 2;
  return parts.size() == 2 &&
         encode_float(parts[0], type, element.first(half)) &&
         encode_float(parts[1], type, element.last(half));
}

bool encode_time(std::string_view json, const ElementType& type,
                 MutableBytes element) {
  std::optional<std::int64_t> value = raw_json::as_integer(json);
  if (raw_json::as_string(json) == "NaT")
    value = std::numeric_limits<std::int64_t>::min();
  if (!value) return false;
  store(static_cast<std::uint64_t>(*value), type.big_endian, element);
  return true;
}

/// Base64, or a list of byte values; shorter values are padded with zeros.
std::optional<std::vector<std::byte>> raw_bytes(std::string_view json) {
  if (const auto text = raw_json::as_string(json)) return from_base64(*text);
  if (!raw_json::is_list(json)) return {};
  std::vector<std::byte> bytes;
  for (std::string_view part : raw_json::elements(json)) {
    const auto value = raw_json::as_unsigned(part);
    if (!value || *value > 255) return {};
    bytes.push_back(static_cast<std::byte>(*value));
  }
  return bytes;
}

bool encode_raw(std::string_view json, const ElementType& type,
                MutableBytes element) {
  const auto bytes = raw_bytes(json);
  if (!bytes || bytes->size() > element.size()) return false;
  // The rest of the element is zero already.
  const bool padded = type.kind == Kind::kBytes || bytes->empty();
  std::copy(bytes->begin(), bytes->end(), element.begin());
  return padded || bytes->size() == element.size();
}

/// The code points of UTF-8 text; nothing if it is not UTF-8.
std::optional<std::vector<std::uint32_t>> code_points(std::string_view text) {
  std::vector<std::uint32_t> points;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const int more = lead < 0x80                   ? 0
                     : lead >= 0xc2 && lead < 0xe0 ? 1
                     : lead >= 0xe0 && lead < 0xf0 ? 2
                     : lead >= 0xf0 && lead < 0xf5 ? 3
                                                   : -1;
    if (more < 0 || at + more >= text.size()) return {};
    std::uint32_t point = more == 0 ? lead : lead & (0x3f >> more);
    for (int i = 1; i <= more; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      if (next >> 6 != 2) return {};
      point = point << 6 | (next & 0x3f);
    }
    points.push_back(point);
    at += 1 + more;
  }
  return points;
}

bool encode_text(std::string_view json, const ElementType& type,
                 MutableBytes element) {
  const auto text = raw_json::as_string(json);
  const auto points = text ? code_points(*text) : std::nullopt;
  if (!points || points->size() > element.size() / 4) return false;
  for (std::size_t i = 0; i < points->size(); ++i)
    store((*points)[i], type.big_endian, element.subspan(4 * i, 4));
  return true;
}

bool encode_fields(std::string_view json, const ElementType& type,
                   MutableBytes element) {
  std::map<std::string, std::string_view> values;
  for (const auto& member :
       raw_json::members(json, raw_json::Duplicates::kAllow))
    values.emplace(member.key, member.text);
  std::size_t at = 0;
  for (const Field& field : type.fields) {
    const auto value = values.find(field.name);
    const auto bytes = static_cast<std::size_t>(field.type.bytes);
    if (value == values.end() || !field.shape.empty() ||
        !encode(value->second, field.type, element.subspan(at, bytes)))
      return false;
    at += bytes;
  }
  return true;
}

bool encode(std::string_view json, const ElementType& type,
            MutableBytes element) {
  // zarr-python reads null as NaT for times, and as zeros for other types.
  if (json == "null" && type.kind == Kind::kTime)
    return encode_time("\"NaT\"", type, element);
  // Writers of v2 put 0 for all types, also for text and structures.
  if (json == "null" || json == "0") return true;
  switch (type.kind) {
    case Kind::kBool:
      return encode_bool(json, element);
    case Kind::kInteger:
    case Kind::kUnsigned:
      return encode_integer(json, type, element);
    case Kind::kFloat:
      return encode_float(json, type, element);
    case Kind::kComplex:
      return encode_complex(json, type, element);
    case Kind::kTime:
      return encode_time(json, type, element);
    case Kind::kText:
      return encode_text(json, type, element);
    case Kind::kBytes:
    case Kind::kRaw:
      return encode_raw(json, type, element);
    case Kind::kStruct:
      return raw_json::is_object(json) ? encode_fields(json, type, element)
                                       : encode_raw(json, type, element);
    default:
      return false;
  }
}

/// In v2, the base64 text of a structure has the stored bytes. In older v3
/// documents, and in NumPy's, it is little-endian, whatever the codec stores.
void swap_scalars(const std::vector<DataType::Scalar>& scalars,
                  MutableBytes element) {
  std::size_t at = 0;
  for (const DataType::Scalar& scalar : scalars) {
    const MutableBytes number =
        element.subspan(at, static_cast<std::size_t>(scalar.bytes));
    if (scalar.swappable && scalar.big_endian)
      std::reverse(number.begin(), number.end());
    at += number.size();
  }
}

}  // namespace

FillValue parse_fill_value(std::string_view json, const DataType& data_type,
                           int zarr_format) {
  FillValue fill{std::string(json), {}};
  if (data_type.item_bytes == 0 || data_type.item_bytes > kMaxFillBytes)
    return fill;
  const ElementType type = element_type(data_type);
  fill.bits.resize(static_cast<std::size_t>(data_type.item_bytes));
  if (!encode(json, type, fill.bits)) fill.bits.clear();
  if (zarr_format == 3 && type.kind == Kind::kStruct && !fill.bits.empty() &&
      raw_json::is_string(json))
    swap_scalars(data_type.scalars, fill.bits);
  return fill;
}

}  // namespace rechunk

#include <fmt/format.h>

#include <charconv>

#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/elements/element_type.h"
#include "zarr/elements/float_format.h"

namespace rechunk {
namespace {

using Kind = ElementType::Kind;

std::int64_t checked_item_bytes(std::int64_t count, std::int64_t bytes) {
  const std::int64_t total = checked_multiply(count, bytes);
  if (total > kMaxItemBytes)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("an element of {} bytes is too large", total));
  return total;
}

/// "10s" of "M8[10s]": the count (1 if there is none) and the unit.
void parse_unit(std::string_view text, ElementType& type) {
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), type.unit_count);
  if (error != std::errc()) type.unit_count = 1;
  type.unit = text.substr(stop - text.data());
  if (type.unit_count < 1 || type.unit.empty())
    throw Error(ErrorKind::kCorrupt,
                fmt::format("a time in units of {}", raw_json::excerpt(text)));
  // The Greek letter, and the micro sign.
  if (type.unit == "\u03bcs" || type.unit == "\u00b5s") type.unit = "us";
}

std::string_view float_name(std::int64_t bytes) {
  return bytes == 2   ? "float16"
         : bytes == 4 ? "float32"
         : bytes == 8 ? "float64"
                      : "";
}

/// What the kind letter and its number mean; kUnknown if nothing.
ElementType from_letter(char letter, std::int64_t number) {
  ElementType type;
  type.bytes = number;
  const bool whole = number == 1 || number == 2 || number == 4 || number == 8;
  switch (letter) {
    case 'b':
      if (number == 1) type.kind = Kind::kBool, type.name = "bool";
      break;
    case 'i':
      if (whole) type.kind = Kind::kInteger;
      type.name = fmt::format("int{}", number * 8);
      break;
    case 'u':
      if (whole) type.kind = Kind::kUnsigned;
      type.name = fmt::format("uint{}", number * 8);
      break;
    case 'f':
      if (whole || number == 16) type.kind = Kind::kFloat;
      type.name = float_name(number);
      break;
    case 'c':
      if (number == 8 || number == 16 || number == 32)
        type.kind = Kind::kComplex;
      type.name = float_name(number / 2);
      break;
    case 'm':
    case 'M':
      if (number == 8) type.kind = Kind::kTime;
      type.name = letter == 'M' ? "numpy.datetime64" : "numpy.timedelta64";
      type.unit = "generic";
      break;
    case 'S':
      type.kind = Kind::kBytes, type.name = "null_terminated_bytes";
      break;
    case 'V':
      type.kind = Kind::kRaw, type.name = "raw_bytes";
      break;
    case 'U':
      type.kind = Kind::kText, type.name = "fixed_length_utf32";
      type.bytes = checked_item_bytes(number, 4);
      break;
    default:
      break;
  }
  // `whole` includes 1, but NumPy has no float of one byte.
  if (type.kind == Kind::kFloat && number == 1) type.kind = Kind::kUnknown;
  return type;
}

ElementType unknown_type(std::string_view text) {
  ElementType type;
  type.name = text;
  return type;
}

ElementType parse_typestr(std::string_view text) {
  const std::string_view whole_text = text;
  char order = '<';
  if (!text.empty() &&
      std::string_view("<>|=").find(text[0]) != std::string_view::npos) {
    order = text[0];
    text.remove_prefix(1);
  }
  if (text == "O") {
    ElementType type;
    type.kind = Kind::kVariable;
    return type;
  }
  if (text.size() < 2) return unknown_type(whole_text);
  std::int64_t number = -1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, number);
  if (error != std::errc() || number < 0)
    // Some writers use a name of v3 here, such as "bfloat16".
    return parse_type_v3(raw_json::quote(whole_text));
  checked_item_bytes(1, number);
  ElementType type = from_letter(text[0], number);
  std::string_view rest(stop, end - stop);
  if (type.kind == Kind::kTime && rest.size() > 2 && rest.front() == '[' &&
      rest.back() == ']') {
    parse_unit(rest.substr(1, rest.size() - 2), type);
    rest = {};
  }
  if (type.kind == Kind::kUnknown || !rest.empty())
    return unknown_type(whole_text);
  return with_byte_order(std::move(type), order == '>');
}

[[noreturn]] void bad_field(std::string_view text) {
  throw Error(ErrorKind::kCorrupt,
              fmt::format("not a field of a structured dtype: {}",
                          raw_json::excerpt(text)));
}

ElementType parse_type_v2_json(std::string_view json) {
  const auto text = raw_json::as_string(json);
  if (!text && !raw_json::is_list(json)) bad_field(json);
  return parse_type_v2(text ? *text : std::string(json));
}

/// ["name", dtype] or ["name", dtype, shape]; a titled name is a list.
Field parse_field(std::string_view json, bool& has_titles) {
  if (!raw_json::is_list(json)) bad_field(json);
  const auto parts = raw_json::elements(json);
  if (parts.size() < 2 || parts.size() > 3) bad_field(json);
  Field field;
  has_titles |= raw_json::is_list(parts[0]);
  const auto name = raw_json::as_string(parts[0]);
  field.name = name ? *name : std::string(parts[0]);
  field.type = parse_type_v2_json(parts[1]);
  if (parts.size() == 3) {
    const bool list = raw_json::is_list(parts[2]);
    const auto lengths =
        list ? raw_json::elements(parts[2]) : std::vector{parts[2]};
    for (std::string_view length : lengths) {
      const auto number = raw_json::as_integer(length);
      if (!number || *number < 0) bad_field(json);
      field.shape.push_back(*number);
    }
  }
  return field;
}

ElementType parse_structure(std::string_view json) {
  ElementType type;
  type.kind = Kind::kStruct;
  type.name = "struct";
  bool fixed = true;
  for (std::string_view part : raw_json::elements(json)) {
    Field field = parse_field(part, type.has_titles);
    fixed &= field.type.bytes > 0;
    type.has_titles |= field.type.has_titles;
    const std::int64_t bytes =
        checked_item_bytes(element_count(field.shape), field.type.bytes);
    type.bytes = checked_item_bytes(1, checked_add(type.bytes, bytes));
    type.fields.push_back(std::move(field));
  }
  if (!fixed) type.bytes = 0;
  check_names(type);
  return type;
}

std::string format_fields(const ElementType& type) {
  std::string text;
  for (const Field& field : type.fields) {
    const std::string inner = format_type_v2(field.type);
    if (inner.empty()) return {};
    text += fmt::format("{}[{}, {}", text.empty() ? "" : ", ",
                        raw_json::quote(field.name),
                        inner[0] == '[' ? inner : raw_json::quote(inner));
    if (!field.shape.empty())
      text += fmt::format(", [{}]", fmt::join(field.shape, ", "));
    text += ']';
  }
  return '[' + text + ']';
}

/// Kind letter of a number; 0 if numpy has no such number.
char number_letter(const ElementType& type) {
  const bool exotic = type.name.starts_with("int4") ||
                      type.name.starts_with("uint4") || type.name == "int2" ||
                      type.name == "uint2";
  switch (type.kind) {
    case Kind::kBool:
      return 'b';
    case Kind::kInteger:
      return exotic ? 0 : 'i';
    case Kind::kUnsigned:
      return exotic ? 0 : 'u';
    case Kind::kFloat:
    case Kind::kComplex:
      if (type.name != "" && (type.name == "bfloat16" ||
                              float_name(float_bytes(type.name)).empty()))
        return 0;
      if (type.kind == Kind::kComplex) return type.bytes < 8 ? 0 : 'c';
      return 'f';
    default:
      return 0;
  }
}

}  // namespace

ElementType parse_type_v2(std::string_view dtype) {
  return raw_json::is_list(dtype) ? parse_structure(dtype)
                                  : parse_typestr(dtype);
}

std::string format_type_v2(const ElementType& type) {
  const char order = type.big_endian ? '>' : '<';
  switch (type.kind) {
    case Kind::kTime: {
      const char letter = type.name == "numpy.datetime64" ? 'M' : 'm';
      if (type.unit == "generic" && type.unit_count == 1)
        return fmt::format("{}{}8", order, letter);
      const std::string count =
          type.unit_count == 1 ? "" : std::to_string(type.unit_count);
      return fmt::format("{}{}8[{}{}]", order, letter, count, type.unit);
    }
    case Kind::kBytes:
      return fmt::format("|S{}", type.bytes);
    case Kind::kRaw:
      return fmt::format("|V{}", type.bytes);
    case Kind::kText:
      return fmt::format("{}U{}", order, type.bytes / 4);
    case Kind::kStruct:
      return format_fields(type);
    case Kind::kVariable:
      return "|O";
    case Kind::kUnknown:
      return {};
    default:
      break;
  }
  const char letter = number_letter(type);
  if (!letter) return {};
  return fmt::format("{}{}{}", type.bytes == 1 ? '|' : order, letter,
                     type.bytes);
}

}  // namespace rechunk

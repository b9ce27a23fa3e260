#include <fmt/format.h>

#include <charconv>

#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/elements/element_type.h"
#include "zarr/elements/float_format.h"

namespace rechunk {
namespace {

using Kind = ElementType::Kind;

struct Simple {
  std::string_view name;
  Kind kind;
  std::int64_t bytes;
};

constexpr Simple kSimpleTypes[] = {
    {"bool", Kind::kBool, 1},
    {"int8", Kind::kInteger, 1},
    {"int16", Kind::kInteger, 2},
    {"int32", Kind::kInteger, 4},
    {"int64", Kind::kInteger, 8},
    {"uint8", Kind::kUnsigned, 1},
    {"uint16", Kind::kUnsigned, 2},
    {"uint32", Kind::kUnsigned, 4},
    {"uint64", Kind::kUnsigned, 8},
    {"int2", Kind::kInteger, 1},
    {"int4", Kind::kInteger, 1},
    {"uint2", Kind::kUnsigned, 1},
    {"uint4", Kind::kUnsigned, 1},
    {"string", Kind::kVariable, 0},
    {"bytes", Kind::kVariable, 0},
    {"variable_length_bytes", Kind::kVariable, 0},
};

[[noreturn]] void corrupt(const std::string& cause) {
  throw Error(ErrorKind::kCorrupt, cause);
}

ElementType complex_of(std::string_view part) {
  ElementType type;
  type.kind = Kind::kComplex;
  type.name = part;
  type.bytes = 2 * float_bytes(part);
  return type;
}

/// "r24": raw bits, in whole bytes.
std::optional<ElementType> raw_bits(std::string_view name) {
  if (!name.starts_with('r')) return {};
  std::int64_t bits = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + 1, end, bits);
  if (error != std::errc() || stop != end || bits <= 0 || bits % 8 != 0 ||
      bits / 8 > kMaxItemBytes)
    return {};
  ElementType type;
  type.kind = Kind::kRaw;
  type.name = name;
  type.bytes = bits / 8;
  return type;
}

/// A type that its name alone describes; kUnknown for other names.
ElementType by_name(const std::string& name) {
  ElementType type;
  type.name = name;
  for (const Simple& simple : kSimpleTypes)
    if (simple.name == name) type.kind = simple.kind, type.bytes = simple.bytes;
  if (type.kind != Kind::kUnknown) return type;
  if (float_bytes(name) > 0) {
    type.kind = Kind::kFloat;
    type.bytes = float_bytes(name);
    return type;
  }
  if (name == "complex64") return complex_of("float32");
  if (name == "complex128") return complex_of("float64");
  constexpr std::string_view kComplex = "complex_";
  if (name.starts_with(kComplex) &&
      float_bytes(name.substr(kComplex.size())) > 0)
    return complex_of(name.substr(kComplex.size()));
  return raw_bits(name).value_or(type);
}

std::int64_t length_bytes(std::string_view configuration) {
  const auto text = raw_json::find(configuration, "length_bytes");
  const auto bytes = text ? raw_json::as_integer(*text) : std::nullopt;
  if (!bytes || *bytes < 0 || *bytes > kMaxItemBytes)
    corrupt("data_type without a valid \"length_bytes\"");
  return *bytes;
}

ElementType time_type(const std::string& name, std::string_view configuration) {
  ElementType type;
  type.kind = Kind::kTime;
  type.name = name;
  type.bytes = 8;
  const auto unit = raw_json::find(configuration, "unit");
  const auto factor = raw_json::find(configuration, "scale_factor");
  const auto unit_name = unit ? raw_json::as_string(*unit) : std::nullopt;
  const auto count = factor ? raw_json::as_integer(*factor) : 1;
  if (!unit_name || unit_name->empty() || !count || *count < 1)
    corrupt(fmt::format("{} without a valid \"unit\"", name));
  type.unit = *unit_name == "\u03bcs" ? "us" : *unit_name;
  type.unit_count = *count;
  return type;
}

/// {"name": .., "data_type": ..}, or the older ["name", data_type].
Field parse_field(std::string_view json) {
  std::optional<std::string_view> name, type;
  if (raw_json::is_object(json)) {
    name = raw_json::find(json, "name");
    type = raw_json::find(json, "data_type");
  } else if (raw_json::is_list(json)) {
    const auto parts = raw_json::elements(json);
    if (parts.size() == 2) name = parts[0], type = parts[1];
  }
  if (!name || !type || !raw_json::is_string(*name))
    corrupt("not a field of a struct: " + raw_json::excerpt(json));
  return {*raw_json::as_string(*name), parse_type_v3(*type), {}};
}

ElementType struct_type(std::string_view configuration) {
  const auto fields = raw_json::find(configuration, "fields");
  if (!fields || !raw_json::is_list(*fields))
    corrupt("a struct without \"fields\"");
  ElementType type;
  type.kind = Kind::kStruct;
  type.name = "struct";
  bool fixed = true;
  for (std::string_view json : raw_json::elements(*fields)) {
    type.fields.push_back(parse_field(json));
    fixed &= type.fields.back().type.bytes > 0;
    type.bytes += type.fields.back().type.bytes;
    if (type.bytes > kMaxItemBytes) corrupt("an element is too large");
  }
  if (!fixed) type.bytes = 0;
  check_names(type);
  return type;
}

ElementType with_configuration(const std::string& name,
                               std::string_view configuration) {
  // "structured" is the older name.
  if (name == "struct" || name == "structured")
    return struct_type(configuration);
  if (name == "numpy.datetime64" || name == "numpy.timedelta64")
    return time_type(name, configuration);
  ElementType type = by_name(name);
  if (name == "null_terminated_bytes") type.kind = Kind::kBytes;
  if (name == "raw_bytes") type.kind = Kind::kRaw;
  if (name == "fixed_length_utf32") type.kind = Kind::kText;
  if (type.bytes == 0 && (type.kind == Kind::kBytes ||
                          type.kind == Kind::kRaw || type.kind == Kind::kText))
    type.bytes = length_bytes(configuration);
  if (type.kind == Kind::kText && type.bytes % 4 != 0)
    corrupt("fixed_length_utf32 of a length that 4 does not divide");
  return type;
}

std::string named(std::string_view name, const std::string& configuration) {
  return fmt::format(R"({{"name": "{}", "configuration": {{{}}}}})", name,
                     configuration);
}

std::string format_struct(const ElementType& type) {
  // v3 has neither titles nor sub-arrays.
  if (type.has_titles) return {};
  std::string text;
  for (const Field& field : type.fields) {
    const std::string inner = format_type_v3(field.type);
    if (inner.empty() || !field.shape.empty()) return {};
    text += fmt::format(R"({}{{"name": {}, "data_type": {}}})",
                        text.empty() ? "" : ", ", raw_json::quote(field.name),
                        inner);
  }
  return named("struct", "\"fields\": [" + text + "]");
}

}  // namespace

ElementType parse_type_v3(std::string_view json) {
  if (const auto name = raw_json::as_string(json))
    return with_configuration(*name, "{}");
  if (!raw_json::is_object(json))
    corrupt("not a data_type: " + raw_json::excerpt(json));
  const auto name = raw_json::find(json, "name");
  const auto text = name ? raw_json::as_string(*name) : std::nullopt;
  if (!text) corrupt("a data_type without \"name\"");
  const auto configuration = raw_json::find(json, "configuration");
  if (configuration && !raw_json::is_object(*configuration))
    corrupt("a data_type whose \"configuration\" is not an object");
  return with_configuration(*text, configuration.value_or("{}"));
}

std::string format_type_v3(const ElementType& type) {
  switch (type.kind) {
    case Kind::kBytes:
    case Kind::kText:
    case Kind::kRaw:
      if (type.name != "null_terminated_bytes" && type.name != "raw_bytes" &&
          type.name != "fixed_length_utf32")
        break;
      return named(type.name, fmt::format("\"length_bytes\": {}", type.bytes));
    case Kind::kTime:
      return named(type.name,
                   fmt::format(R"("unit": {}, "scale_factor": {})",
                               raw_json::quote(type.unit), type.unit_count));
    case Kind::kStruct:
      return format_struct(type);
    case Kind::kUnknown:
      return {};
    case Kind::kComplex:
      if (type.name.empty()) return {};
      if (type.name == "float32") return "\"complex64\"";
      if (type.name == "float64") return "\"complex128\"";
      return raw_json::quote("complex_" + type.name);
    default:
      break;
  }
  return type.name.empty() ? "" : raw_json::quote(type.name);
}

}  // namespace rechunk

#include "zarr/elements/element_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "json/raw_json.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Kind = ElementType::Kind;
using Scalar = DataType::Scalar;

constexpr std::size_t kMaxScalars = 1 << 16;

/// Bytes of the numbers that an element consists of; 0 if it is not numbers.
std::int64_t number_bytes(const ElementType& type) {
  switch (type.kind) {
    case Kind::kInteger:
    case Kind::kUnsigned:
    case Kind::kFloat:
    case Kind::kTime:
      return type.bytes;
    case Kind::kComplex:
      return type.bytes / 2;
    case Kind::kText:
      return 4;
    default:
      return 0;
  }
}

void append(std::vector<Scalar>& scalars, std::int64_t count, Scalar scalar) {
  if (count > static_cast<std::int64_t>(kMaxScalars - scalars.size()))
    throw Error(ErrorKind::kUnsupported, "elements of more than 65536 numbers");
  scalars.insert(scalars.end(), count, scalar);
}

void append_struct(const ElementType& type, std::vector<Scalar>& scalars) {
  for (const Field& field : type.fields) {
    const std::int64_t count = element_count(field.shape);
    std::vector<Scalar> one;
    append_scalars(field.type, one);
    // Bytes that are never swapped are one scalar, however many there are.
    const bool opaque = std::none_of(one.begin(), one.end(),
                                     [](auto& s) { return s.swappable; });
    if (opaque && field.type.bytes > 0 && count > 0)
      one = {{checked_multiply(field.type.bytes, count), false, false}};
    const std::int64_t repeats =
        opaque ? std::min<std::int64_t>(count, 1) : count;
    if (checked_multiply(repeats, static_cast<std::int64_t>(one.size())) >
        static_cast<std::int64_t>(kMaxScalars - scalars.size()))
      // Throws, because these are too many.
      append(scalars, kMaxScalars + 1, {});
    for (std::int64_t i = 0; i < repeats; ++i)
      scalars.insert(scalars.end(), one.begin(), one.end());
  }
}

/// Equal texts for types that differ only in spelling or byte order.
std::string identity(const ElementType& type) {
  const ElementType little = with_byte_order(type, false);
  // v3 has two names for raw bytes.
  if (type.kind == Kind::kRaw) return fmt::format("|V{}", type.bytes);
  std::string text = format_type_v2(little);
  if (text.empty() || type.kind == Kind::kVariable)
    text = format_type_v3(little);
  return text;
}

/// True if both are the same name or, however it is laid out, the same JSON.
bool same_text(const std::string& a, const std::string& b) {
  const auto is_json = [](const std::string& text) {
    return raw_json::is_list(text) || raw_json::is_object(text);
  };
  if (!is_json(a) || !is_json(b)) return a == b;
  return raw_json::canonical(a) == raw_json::canonical(b);
}

}  // namespace

void check_names(const ElementType& type) {
  std::set<std::string_view> names;
  for (const Field& field : type.fields)
    if (!names.insert(field.name).second)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("two fields of a structure have the name {}",
                              raw_json::quote(field.name)));
}

ElementType with_byte_order(ElementType type, bool big_endian) {
  // Single bytes have no order.
  type.big_endian = big_endian && number_bytes(type) > 1;
  for (Field& field : type.fields)
    field.type = with_byte_order(std::move(field.type), big_endian);
  return type;
}

void append_scalars(const ElementType& type, std::vector<Scalar>& scalars) {
  if (type.bytes == 0) return;
  if (type.kind == Kind::kStruct) return append_struct(type, scalars);
  const std::int64_t bytes = number_bytes(type);
  if (bytes > 1)
    append(scalars, type.bytes / bytes, {bytes, true, type.big_endian});
  else
    append(scalars, 1, {type.bytes, false, false});
}

ElementType element_type(const DataType& data_type) {
  // The text of v2 also has byte orders and titles. But "|O" says nothing of
  // the elements.
  if (!data_type.v2.empty() && data_type.v2 != "|O")
    return parse_type_v2(data_type.v2);
  if (data_type.v3.empty()) return parse_type_v2(data_type.v2);
  return with_byte_order(parse_type_v3(data_type.v3), is_big_endian(data_type));
}

DataType parse_data_type_v2(std::string_view dtype) {
  const ElementType type = parse_type_v2(dtype);
  DataType result;
  result.item_bytes = type.bytes;
  append_scalars(type, result.scalars);
  // A structure keeps its text, because titles have no other place. So does a
  // type that NumPy does not have.
  result.v2 = type.kind == Kind::kStruct ? "" : format_type_v2(type);
  if (result.v2.empty()) result.v2 = dtype;
  if (!has_mixed_byte_order(result)) result.v3 = format_type_v3(type);
  return result;
}

DataType parse_data_type_v3(std::string_view json, bool big_endian) {
  const ElementType type = with_byte_order(parse_type_v3(json), big_endian);
  DataType result;
  result.item_bytes = type.bytes;
  append_scalars(type, result.scalars);
  result.v2 = format_type_v2(type);
  // zarr-python wants the names of core types bare.
  const auto configuration = raw_json::is_object(json)
                                 ? raw_json::find(json, "configuration")
                                 : std::nullopt;
  const auto name = raw_json::is_object(json) && !configuration
                        ? raw_json::find(json, "name")
                        : std::nullopt;
  result.v3 = std::string(name.value_or(json));
  return result;
}

bool has_mixed_byte_order(const DataType& data_type) {
  const auto& scalars = data_type.scalars;
  const bool little = std::any_of(scalars.begin(), scalars.end(), [](auto& s) {
    return s.swappable && !s.big_endian;
  });
  return little && is_big_endian(data_type);
}

bool is_big_endian(const DataType& data_type) {
  const auto& scalars = data_type.scalars;
  return std::any_of(scalars.begin(), scalars.end(),
                     [](auto& s) { return s.swappable && s.big_endian; });
}

std::string DataType::label() const {
  if (!v2.empty() && v2[0] != '[' && v2 != "|O") return v2;
  if (v2.starts_with('[')) return fmt::format("struct of {} bytes", item_bytes);
  if (const auto name = raw_json::as_string(v3)) return *name;
  const auto name = v3.empty() ? std::nullopt : raw_json::find(v3, "name");
  const auto text = name ? raw_json::as_string(*name) : std::nullopt;
  return text.value_or(v2.empty() ? "unknown" : v2);
}

bool same_type(const DataType& a, const DataType& b) {
  const ElementType type_a = element_type(a), type_b = element_type(b);
  if (type_a.kind == Kind::kUnknown || type_b.kind == Kind::kUnknown ||
      identity(type_a).empty())
    return same_text(a.v2, b.v2) && same_text(a.v3, b.v3);
  return identity(type_a) == identity(type_b);
}

}  // namespace rechunk

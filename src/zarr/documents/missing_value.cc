#include "zarr/documents/missing_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "json/raw_json.h"
#include "zarr/documents/layout.h"
#include "zarr/elements/base64.h"
#include "zarr/elements/element_type.h"
#include "zarr/elements/fill_value.h"

namespace rechunk {
namespace {

using Kind = ElementType::Kind;

/// A float as xarray writes it: base64 of 8 little-endian bytes. `token` is a
/// number or a name. A NaN with a payload that float64 lacks becomes NaN.
std::string encoded_float(std::string_view token) {
  const DataType type = parse_data_type_v2("<f8");
  auto bits = parse_fill_value(token, type, 3).bits;
  if (bits.empty()) bits = parse_fill_value("\"NaN\"", type, 3).bits;
  return raw_json::quote(to_base64(bits));
}

/// The token of v2 for a float that xarray wrote; nothing if xarray did not
/// write this. Takes plain numbers, too.
std::optional<std::string> decoded_float(std::string_view json) {
  if (raw_json::as_number(json)) return std::string(json);
  const auto text = raw_json::as_string(json);
  const auto bits = text ? from_base64(*text) : std::nullopt;
  if (!bits || bits->size() != 8) return {};
  return standard_fill_value({"", *bits}, parse_data_type_v2("<f8"), 2).json;
}

bool is_whole(std::string_view json) {
  return raw_json::as_integer(json) || raw_json::as_unsigned(json);
}

/// `_FillValue` for the fill value of an array; nothing if xarray could not
/// read it.
std::optional<std::string> encoded_fill(const FillValue& fill,
                                        const DataType& data_type) {
  const ElementType type = element_type(data_type);
  const bool known = !type.name.empty() && !fill.bits.empty();
  const std::string token =
      known ? standard_fill_value({"", fill.bits}, data_type, 3).json : "";
  switch (type.kind) {
    case Kind::kBool:
    case Kind::kInteger:
    case Kind::kUnsigned:
      if (known) return token;
      break;
    case Kind::kFloat:
      if (known) return encoded_float(token);
      break;
    case Kind::kComplex:
      if (known)
        return fmt::format("[{}, {}]",
                           encoded_float(raw_json::elements(token)[0]),
                           encoded_float(raw_json::elements(token)[1]));
      break;
    default:
      break;
  }
  return {};
}

/// The same for an attribute `_FillValue` of v2, a plain number.
std::optional<std::string> encoded_attribute(std::string_view json,
                                             const DataType& data_type) {
  switch (element_type(data_type).kind) {
    case Kind::kBool:
      if (json == "true" || json == "false") return std::string(json);
      break;
    case Kind::kInteger:
    case Kind::kUnsigned:
      if (is_whole(json)) return std::string(json);
      break;
    case Kind::kFloat:
      if (raw_json::as_number(json)) return encoded_float(json);
      break;
    default:
      break;
  }
  return {};
}

std::optional<std::string_view> fill_value_attribute(
    const ArrayMetadata& metadata) {
  if (!metadata.attributes) return {};
  return raw_json::find(*metadata.attributes, kFillValueAttribute);
}

/// The token of the v2 fill value for an attribute of v3; nothing if v2
/// cannot say it, or xarray does not read it.
std::optional<std::string> decoded_attribute(std::string_view json,
                                             const DataType& data_type) {
  switch (element_type(data_type).kind) {
    case Kind::kBool:
      return json == "true" || json == "1" ? "true" : "false";
    case Kind::kInteger:
    case Kind::kUnsigned:
      if (const auto value = raw_json::as_number(json);
          value && !is_whole(json))
        return fmt::format("{:.0f}", std::trunc(*value));
      return std::string(json);
    case Kind::kFloat:
      return decoded_float(json);
    case Kind::kComplex: {
      if (!raw_json::is_list(json)) return {};
      const auto parts = raw_json::elements(json);
      if (parts.size() != 2) return {};
      const auto real = decoded_float(parts[0]), imag = decoded_float(parts[1]);
      if (!real || !imag) return {};
      return fmt::format("[{}, {}]", *real, *imag);
    }
    default:
      return {};
  }
}

/// The element that an attribute names; nothing if there is no such element.
std::optional<FillValue> fill_of_attribute(std::string_view json,
                                           const DataType& data_type) {
  const auto token = decoded_attribute(json, data_type);
  if (!token) return {};
  FillValue fill = parse_fill_value(*token, data_type, 2);
  if (fill.bits.empty()) return {};
  const FillValue standard = standard_fill_value(fill, data_type, 2);
  // A number beyond the type's range is not equal to any element.
  const bool wrapped =
      is_whole(*token) && is_whole(standard.json) && standard.json != *token;
  return wrapped ? std::nullopt : std::optional(standard);
}

bool is_nan(const FillValue& fill, const DataType& data_type) {
  const ElementType type = element_type(data_type);
  if (type.kind != Kind::kFloat && type.kind != Kind::kComplex) return false;
  if (fill.bits.empty() || type.name.empty()) return false;
  const std::string token =
      standard_fill_value({"", fill.bits}, data_type, 3).json;
  // A hexadecimal token is a NaN with a payload.
  return token.find("NaN") != std::string::npos ||
         token.find("0x") != std::string::npos;
}

/// The fill value of v2 with which xarray masks nothing.
FillValue no_missing_value(const ArrayMetadata& source) {
  const DataType& type = source.data_type;
  const FillValue null = parse_fill_value("null", type, 2);
  const FillValue same = convert_fill_value(source.fill_value, type, 2);
  if (is_nan(same, type)) return same;
  // Strings without an element of fixed size: the empty one is null.
  if (same.bits.empty()) return same.json == "\"\"" ? null : same;
  return null;
}

}  // namespace

bool opened_by_xarray(const ArrayMetadata& metadata) {
  return metadata.dimension_names.has_value() ||
         (metadata.zarr_format == 3 && metadata.shape.empty());
}

std::string attributes_in_v3(const ArrayMetadata& source) {
  const std::string attributes = source.attributes.value_or("{}");
  const auto attribute = fill_value_attribute(source);
  std::optional<std::string> encoded;
  if (source.fill_value.json != "null")
    encoded = encoded_fill(source.fill_value, source.data_type);
  else if (attribute)
    encoded = encoded_attribute(*attribute, source.data_type);
  if (encoded)
    return raw_json::with_member(attributes, kFillValueAttribute, *encoded);
  return raw_json::without_member(attributes, kFillValueAttribute);
}

std::pair<FillValue, std::string> fill_value_in_v2(
    const ArrayMetadata& source) {
  const std::string attributes = source.attributes.value_or("{}");
  const auto attribute = fill_value_attribute(source);
  const auto fill = attribute ? fill_of_attribute(*attribute, source.data_type)
                              : std::nullopt;
  const FillValue wanted = fill.value_or(no_missing_value(source));
  // With another fill value, missing chunks would have to be written, and
  // rechunk cannot encode them.
  if (!source.fill_value.bits.empty() &&
      wanted.bits != source.fill_value.bits && !is_decodable(source))
    return {convert_fill_value(source.fill_value, source.data_type, 2),
            attributes};
  if (!fill) return {wanted, attributes};
  return {wanted, raw_json::without_member(attributes, kFillValueAttribute)};
}

}  // namespace rechunk

#include "zarr/documents/zarr_python.h"

#include <algorithm>
#include <string_view>

#include "json/raw_json.h"
#include "zarr/elements/element_type.h"

namespace rechunk {
namespace {

using Kind = ElementType::Kind;

// All of v3 that have a name and no configuration.
constexpr std::string_view kNames[] = {"bool",
                                       "int8",
                                       "int16",
                                       "int32",
                                       "int64",
                                       "uint8",
                                       "uint16",
                                       "uint32",
                                       "uint64",
                                       "float16",
                                       "float32",
                                       "float64",
                                       "string",
                                       "bytes",
                                       "complex64",
                                       "complex128",
                                       "variable_length_bytes"};

template <class Predicate>
bool any_field(const ElementType& type, Predicate&& predicate) {
  return std::any_of(type.fields.begin(), type.fields.end(), predicate);
}

/// The first type in here that zarr-python has no type for; "" if there is
/// none.
std::string unknown_name(const std::string& v3) {
  if (const auto name = raw_json::as_string(v3))
    return std::find(std::begin(kNames), std::end(kNames), *name) ==
                   std::end(kNames)
               ? *name
               : "";
  for (const Field& field : parse_type_v3(v3).fields)
    if (std::string name = unknown_name(format_type_v3(field.type));
        !name.empty())
      return name;
  return "";
}

/// True if NumPy has the type on every machine, so that zarr-python has it,
/// too.
bool is_of_numpy(const ElementType& type) {
  if (type.kind == Kind::kFloat) return type.bytes <= 8;
  if (type.kind == Kind::kComplex) return type.bytes <= 16;
  return !any_field(
      type, [](const Field& field) { return !is_of_numpy(field.type); });
}

bool has_sub_arrays(const ElementType& type) {
  return type.has_titles || any_field(type, [](const Field& field) {
           return !field.shape.empty() || has_sub_arrays(field.type);
         });
}

bool is_sharded(const ArrayMetadata& array) {
  return std::any_of(
      array.codecs.begin(), array.codecs.end(),
      [](const CodecSpec& codec) { return codec.name == "sharding_indexed"; });
}

/// Why zarr-python cannot read an array of times without a unit.
std::optional<std::string> unread_time(const ArrayMetadata& array) {
  if (is_big_endian(array.data_type))
    return "zarr-python reads times without a unit in the wrong byte order";
  const std::string& fill = array.fill_value.json;
  if (fill == "null" || fill == "\"NaT\"") return std::nullopt;
  if (array.data_type.v3.find("datetime") != std::string::npos)
    return "zarr-python 3.1 refuses the fill value of dates without a unit";
  if (is_sharded(array))
    return "zarr-python before 3.3 cannot read times without a unit in shards";
  return std::nullopt;
}

std::optional<std::string> unread_struct(const ArrayMetadata& array,
                                         const ElementType& type) {
  if (is_sharded(array))
    return "zarr-python before 3.3 cannot read structs in shards";
  if (array.zarr_format == 3 && is_big_endian(array.data_type))
    return "zarr-python before 3.3 reads no structs of Zarr v3 in big-endian "
           "byte order, or wrong numbers";
  if (array.zarr_format == 3 &&
      array.data_type.v3.find("\"struct\"") != std::string::npos)
    return "zarr-python before 3.2 cannot read structs of Zarr v3";
  if (has_sub_arrays(type))
    return "zarr-python 3 cannot read structs with sub-arrays or titles";
  if (any_field(type, [](const Field& field) {
        return field.type.kind == Kind::kStruct;
      }))
    return "zarr-python 3.1 cannot read structs within structs";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unread_by_zarr_python(const ArrayMetadata& array) {
  const ElementType type = element_type(array.data_type);
  if (type.kind == Kind::kUnknown) return std::nullopt;  // Nobody knows.
  const std::string unknown =
      array.zarr_format == 3 ? unknown_name(array.data_type.v3)
      : is_of_numpy(type) && !format_type_v2(type).empty()
          ? ""
          : array.data_type.label();
  if (!unknown.empty())
    return "zarr-python cannot read the data type " + unknown;
  if (type.kind == Kind::kStruct) return unread_struct(array, type);
  if (type.kind == Kind::kTime && type.unit == "generic")
    return unread_time(array);
  if (type.kind == Kind::kRaw && is_sharded(array))
    return "zarr-python before 3.3 cannot read raw bytes in shards";
  return std::nullopt;
}

}  // namespace rechunk

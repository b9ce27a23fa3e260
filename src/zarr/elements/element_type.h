// The meaning of one element, from v2's `dtype` or v3's `data_type`: enough to
// encode a fill value and to translate between the two. Internal to zarr/;
// others see DataType (data_type.h). Pure functions. Parts: element_type_v2.cc,
// element_type_v3.cc.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rechunk/shape.h"
#include "zarr/elements/data_type.h"

namespace rechunk {

/// Of one element: what a dtype may ask for.
inline constexpr std::int64_t kMaxItemBytes =
    std::numeric_limits<std::int32_t>::max();

struct Field;

struct ElementType {
  enum class Kind {
    kBool,
    kInteger,  ///< Signed; also the sub-byte types, one byte each.
    kUnsigned,
    kFloat,    ///< `name` tells which (float_format.h).
    kComplex,  ///< Two floats of that name.
    kTime,     ///< datetime64 or timedelta64: 8 bytes, NaT is the smallest.
    kBytes,    ///< S: padded with zeros.
    kText,     ///< U: UTF-32 units, padded with zeros.
    kRaw,      ///< V and r<n>.
    kStruct,
    kVariable,  ///< Strings and other objects: no fixed size.
    kUnknown,
  };
  Kind kind = Kind::kUnknown;
  std::int64_t bytes = 0;  ///< 0 if the size is not fixed or not known.
  bool big_endian = false;
  std::string name;  ///< The v3 name without configuration; "" if v3 has none.
  std::string unit;  ///< Of kTime: "ns", "generic".
  std::int64_t unit_count = 1;
  std::vector<Field> fields;
  bool has_titles = false;  ///< Of kStruct: only numpy can say it.
};

struct Field {
  std::string name;
  ElementType type;
  Shape shape;  ///< Of a sub-array; empty for a plain field.
};

/// Throws: corrupt if two fields of a structure have one name.
void check_names(const ElementType& type);

/// `dtype` of v2: a typestr ("<f4"; an order mark is not needed) or the JSON
/// list of a structure. Unknown types have kind kUnknown.
/// Throws: corrupt (a broken structure, an element beyond 2^31 bytes).
ElementType parse_type_v2(std::string_view dtype);

/// `data_type` of v3, JSON. Throws: as parse_type_v2.
ElementType parse_type_v3(std::string_view json);

/// The type in v2 / v3 form, as DataType holds it; "" if it has none.
std::string format_type_v2(const ElementType& type);
std::string format_type_v3(const ElementType& type);

/// The same type with all its numbers in that byte order.
ElementType with_byte_order(ElementType type, bool big_endian);

/// Appends the scalars of one element. Throws: unsupported (over 65536).
void append_scalars(const ElementType& type,
                    std::vector<DataType::Scalar>& scalars);

/// The type of elements that `data_type` describes.
ElementType element_type(const DataType& data_type);

/// The contract's form; v2 `source` text is kept where it is a structure.
DataType parse_data_type_v2(std::string_view dtype);
DataType parse_data_type_v3(std::string_view json, bool big_endian);

/// True if numbers of one element differ in byte order, which v3 cannot say.
bool has_mixed_byte_order(const DataType& data_type);
bool is_big_endian(const DataType& data_type);

}  // namespace rechunk

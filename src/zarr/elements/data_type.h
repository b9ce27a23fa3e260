// The type of an array's elements, with everything for moving and swapping
// them. Their meaning is in element_type.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rechunk {

/// The form of stored elements. An element is `item_bytes` opaque bytes. Only
/// the byte order of its scalars matters, and only for swapping.
struct DataType {
  /// v2 form: a typestr ("<f4") or, for structures, the JSON list of fields.
  /// Empty if v2 cannot express the type.
  std::string v2;
  /// v3 form: `data_type` as JSON text, quotes included ("\"float32\"").
  /// Empty if v3 cannot express the type.
  std::string v3;
  /// Bytes per element; 0 if the type has no fixed size (strings).
  std::int64_t item_bytes = 0;
  /// Widths of the scalars in one element, in order; they add up to
  /// item_bytes. complex128 is {8, 8}; S, V and 1-byte types count as {n} with
  /// swapping off. Empty if the size is not fixed.
  struct Scalar {
    std::int64_t bytes = 0;
    bool swappable = false;  ///< A number (or UTF-32 unit) of more than 1 byte.
    bool big_endian = false;
  };
  std::vector<Scalar> scalars;

  /// Short name for people and for `dtype` in JSON: "<f4", "|S5", "string".
  std::string label() const;
};

/// True if elements have the same meaning. Byte order may differ.
bool same_type(const DataType& a, const DataType& b);

}  // namespace rechunk

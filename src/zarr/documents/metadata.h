// The metadata of one Zarr array, v2 or v3, in one form.
//
// Only members that rechunk interprets are parsed. Everything else (attributes,
// the fill value's token, unknown members) stays the source's text, so that NaN
// tokens, huge integers and key order survive. Codecs and data types that
// rechunk cannot decode can still be parsed. They only fail when something must
// be decoded (`make_layout`). No I/O. Parts: metadata_v2.cc, metadata_v3.cc,
// metadata_text.cc.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/codec.h"
#include "rechunk/shape.h"
#include "zarr/elements/data_type.h"
#include "zarr/elements/fill_value.h"

namespace rechunk {

struct ChunkKeyEncoding {
  bool v2 = false;       ///< "0.1" rather than "c/0/1".
  char separator = '/';  ///< '.' or '/'.
  /// Coordinates of the first object: of an array that is a part of a larger
  /// one. Empty: zeros.
  Shape first = {};
  friend bool operator==(const ChunkKeyEncoding&,
                         const ChunkKeyEncoding&) = default;
};

struct ArrayMetadata {
  int zarr_format = 3;
  Shape shape;
  DataType data_type;
  Shape chunks;  ///< Grid of the objects: shards where the array is sharded.
  ChunkKeyEncoding key_encoding;
  FillValue fill_value;

  /// The codecs in v3 form and encoding order, for v2 arrays too: order F is a
  /// transpose, byte order a "bytes" codec, filters and compressor have their
  /// v3 (or "numcodecs.") names. Filters from elements to elements (delta) come
  /// before "bytes", all others after it. `sharding_indexed` keeps its nested
  /// codecs in its configuration.
  std::vector<CodecSpec> codecs;
  /// v2 only, verbatim JSON, to write back what was read.
  std::string v2_compressor = "null", v2_filters = "null";
  bool v2_order_f = false;
  /// v2 only: the document's spelling of the type, if it is not `data_type.v2`.
  std::string v2_dtype;

  /// Attributes as a JSON object, verbatim (v2: the text of .zattrs);
  /// nothing if a v2 array has no .zattrs.
  std::optional<std::string> attributes;
  /// v3 `dimension_names`, or v2 `_ARRAY_DIMENSIONS`; nothing if absent.
  std::optional<std::vector<std::optional<std::string>>> dimension_names;
  /// Members that rechunk does not know, (key, verbatim JSON).
  std::vector<std::pair<std::string, std::string>> extra;
};

/// Parses the text of `.zarray` and, if there is one, `.zattrs`.
/// Throws: corrupt (not JSON, a member missing or of the wrong kind),
/// unsupported (a grid or must-understand extension that changes where chunks
/// lie). Unknown codecs and types are kept.
ArrayMetadata parse_array_v2(const std::string& zarray,
                             const std::optional<std::string>& zattrs);

/// Parses the text of a v3 `zarr.json` with node_type "array". Throws: as v2.
ArrayMetadata parse_array_v3(const std::string& zarr_json);

/// (file name, text) of the documents of an array, in the order in which they
/// are to be written: ".zattrs" before ".zarray", or "zarr.json".
std::vector<std::pair<std::string, std::string>> format_array(
    const ArrayMetadata& metadata);

}  // namespace rechunk

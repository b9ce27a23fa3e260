// The metadata of one Zarr array, v2 or v3, in one form.
//
// What rechunk must understand is parsed; everything else (attributes, the
// fill value's token, unknown members) is kept as the text that stood in the
// source, so that NaN tokens, huge integers and key order survive. Codecs and
// data types that rechunk cannot decode still parse: they only fail once
// something has to be decoded (`make_layout`). No I/O.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/codec.h"
#include "rechunk/shape.h"

namespace rechunk {

/// How stored elements look. Elements are opaque boxes of `item_bytes`; only
/// the byte order of the scalars inside them matters, and only for swapping.
struct DataType {
  /// v2 form: a typestr ("<f4") or, for structures, the JSON list of fields.
  /// Empty where v2 cannot express the type.
  std::string v2;
  /// v3 form: `data_type` as JSON text, quotes included ("\"float32\"").
  /// Empty where v3 cannot express the type.
  std::string v3;
  /// Bytes per element; 0 where the type has no fixed size (strings).
  std::int64_t item_bytes = 0;
  /// Widths of the scalars in one element, in order; they add up to
  /// item_bytes. complex128 is {8, 8}; S, V and 1-byte types count as {n} with
  /// swapping off. Empty where the size is not fixed.
  struct Scalar {
    std::int64_t bytes = 0;
    bool swappable = false;  ///< A number (or UTF-32 unit) of more than 1 byte.
    bool big_endian = false;
  };
  std::vector<Scalar> scalars;

  /// Short name for people and for `dtype` in JSON: "<f4", "|S5", "string".
  std::string label() const;
};

/// True if elements mean the same, whatever their byte order.
bool same_type(const DataType& a, const DataType& b);

/// A fill value: the token that stood in the metadata, and the element it
/// means.
struct FillValue {
  std::string json = "null";    ///< JSON text, verbatim.
  std::vector<std::byte> bits;  ///< One element in the array's byte order;
                                ///< zeros for null; empty if not understood.
};

struct ChunkKeyEncoding {
  bool v2 = false;       ///< "0.1" rather than "c/0/1".
  char separator = '/';  ///< '.' or '/'.
  /// Coordinates of the first object: of an array that is a part of a larger
  /// one. Empty: zeros.
  Shape first = {};
  friend bool operator==(const ChunkKeyEncoding&,
                         const ChunkKeyEncoding&) = default;
};

/// Key of a chunk below its array: "c/0/1", "0.1", "c" or "0" for rank 0. The
/// coordinates count from the first object.
std::string chunk_key(const ChunkKeyEncoding& encoding,
                      const Shape& coordinates);

struct ArrayMetadata {
  int zarr_format = 3;
  Shape shape;
  DataType data_type;
  Shape chunks;  ///< Grid of the objects: shards where the array is sharded.
  ChunkKeyEncoding key_encoding;
  FillValue fill_value;

  /// The codecs in v3 form and encoding order, for v2 arrays too: order F is a
  /// transpose, byte order a "bytes" codec, filters and compressor have their
  /// v3 (or "numcodecs.") names. Filters that make elements of elements (delta)
  /// stand before "bytes", all others behind it. `sharding_indexed` keeps its
  /// nested codecs in its configuration.
  std::vector<CodecSpec> codecs;
  /// v2 only, verbatim JSON, to write back what was read.
  std::string v2_compressor = "null", v2_filters = "null";
  bool v2_order_f = false;
  /// v2 only: how the document spells the type, if not as `data_type.v2`.
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

/// The same array in the other format: types, fill value, codecs, dimension
/// names and attributes mapped. v3 gets its default keys ("c/0/1"), v2 keeps
/// the separator. Members that only one format knows (`extra`) are left behind.
/// Throws: unsupported (the target format cannot express it; says what. Shards
/// have to go first, by `with_layout`).
ArrayMetadata convert_format(const ArrayMetadata& source, int zarr_format);

/// The same array in the spelling that all readers of its format share: of the
/// fill value, the data type and the codecs, where the source has another one.
ArrayMetadata standard_spelling(ArrayMetadata metadata);

/// What the user may change of an array besides its format.
struct LayoutRequest {
  Shape chunks;                 ///< Inner chunks where `shards` is given.
  std::optional<Shape> shards;  ///< Multiples of `chunks`. v3 only.
  /// Bytes -> bytes codecs that replace the source's; nothing keeps them.
  std::optional<std::vector<CodecSpec>> codecs;
};

/// The metadata of the target: `source` (already of the target's format) with
/// another layout. Everything else is carried over; the inner codecs of a
/// sharded source become the target's codecs or inner codecs.
/// Throws: unsupported, invalid_argument.
ArrayMetadata with_layout(const ArrayMetadata& source,
                          const LayoutRequest& request);

/// Chunk shape that readers of elements see: the innermost chunk of shards.
Shape inner_chunks(const ArrayMetadata& metadata);

/// Short text for people: "blosc(lz4, 5, shuffle)", "zstd(3)", "none".
std::string describe_codecs(const ArrayMetadata& metadata);

/// True if an encoded object of `a` is, byte for byte, a right encoded object
/// of `b`: equal grid, shape, type, byte order, decode chain and fill value,
/// also across v2 and v3. Codecs need not be known.
bool same_encoding(const ArrayMetadata& a, const ArrayMetadata& b);

/// True if each encoded chunk of `a` is, byte for byte, a right encoded chunk
/// of `b`, wherever chunks lie: in shards of any shape, or as objects. False
/// for shards in shards.
bool same_chunk_encoding(const ArrayMetadata& a, const ArrayMetadata& b);

}  // namespace rechunk

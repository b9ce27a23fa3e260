// Codec lists as metadata writes them: v3 codecs, v2 filters and compressors,
// and the configuration of sharding_indexed. One form for both formats, the
// v3 one (CodecSpec). What differs from codec to codec stands in its row
// (codec/codec_row.h); codecs without a row stay as they are. Pure functions.
// Parts: codec_spec_v2.cc (ids of v2), codec_spec_members.cc (what v3 lets a
// codec say).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"
#include "rechunk/shape.h"
#include "zarr/documents/metadata.h"

namespace rechunk {

/// A v3 codec list cut at its one array -> bytes codec.
struct CodecParts {
  std::vector<CodecSpec> before;  ///< array -> array.
  CodecSpec middle;               ///< array -> bytes; no name if there is none.
  std::vector<CodecSpec> after;   ///< bytes -> bytes.
};
CodecParts split_codecs(const std::vector<CodecSpec>& codecs);
std::vector<CodecSpec> join_codecs(const CodecParts& parts);

/// The codecs of the innermost chunks, without those of shards.
CodecParts innermost_codecs(const ArrayMetadata& metadata);

/// Throws: corrupt if a list has more codecs than any array can want (64).
void check_codec_count(std::size_t count);

/// A JSON list of v3 codecs: objects, or bare names. Throws: corrupt.
std::vector<CodecSpec> parse_codecs_v3(std::string_view json);
std::string format_codecs_v3(const std::vector<CodecSpec>& codecs);

/// A v2 codec, {"id": ...}, in v3 form; `item_bytes` is the element size of
/// the buffer that it gets. Throws: corrupt.
CodecSpec codec_from_v2(std::string_view json, std::int64_t item_bytes);

/// The codec for a v3 document: without members that no reader of v3 knows.
/// Codecs that rechunk does not know are not changed.
/// Throws: unsupported (a member of another type, or out of range).
CodecSpec codec_in_v3(const CodecSpec& codec);

/// A v2 codec in a spelling that all readers understand: GDAL writes the
/// checksum of zstd as "NO".
std::string standard_codec_v2(std::string_view json);

/// Element size of the codec's output for elements of that size.
std::int64_t encoded_item_bytes(const CodecSpec& codec,
                                std::int64_t item_bytes);

/// The v2 form. Throws: unsupported (v2 has no such codec).
std::string codec_to_v2(const CodecSpec& codec);

/// The codec with the members that every v3 reader needs: a typesize for blosc.
CodecSpec completed_codec(const CodecSpec& codec, std::int64_t item_bytes);

/// A "bytes" codec; no configuration where the order does not matter.
CodecSpec bytes_codec(const DataType& data_type);

/// Permutation of a transpose codec. Throws: corrupt (not one of that rank).
std::vector<int> transpose_order(const CodecSpec& codec, std::size_t rank);

/// Axes from slowest to fastest in memory, before anything transposes them.
std::vector<int> c_order(std::size_t rank);
/// The same after a transpose codec, or after all in a list. Throws: as above.
std::vector<int> transposed(const std::vector<int>& axes,
                            const CodecSpec& codec);
std::vector<int> transposed(std::vector<int> axes,
                            const std::vector<CodecSpec>& codecs);

struct Sharding {
  Shape chunk_shape;  ///< In the axes of the array the codec gets.
  std::vector<CodecSpec> codecs;
  std::vector<CodecSpec> index_codecs;
  bool index_at_start = false;
};
bool is_sharding(const CodecSpec& codec);
/// Throws: corrupt.
Sharding parse_sharding(const CodecSpec& codec, std::size_t rank);
CodecSpec format_sharding(const Sharding& sharding);

/// Lengths of a JSON list, each in [0, 2^62]. Throws: corrupt (`what` names the
/// member in the message).
Shape parse_shape(std::string_view json, std::string_view what);
std::string format_shape(const Shape& shape);

}  // namespace rechunk

// Codecs as people write them on a command line.
//
//   zstd, zstd:3              a name and its level
//   blosc:lz4:5:bitshuffle    compressor, level, shuffle
//   blosc:lz4:5+crc32c        one after the other, in encoding order
//   none                      no codec at all
//   {"name": "zstd", "configuration": {"level": 3}}      as Zarr v3 writes it
//   {"id": "blosc", "cname": "lz4", ...}                 as numcodecs and v2 do
//   [..., ...]                a JSON list of any of these
//
// The words of a codec stand in its row (codec_row.h).
// Pure text: which codecs this build can run is for `make_codec` to say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"

namespace rechunk {

/// The bytes -> bytes codecs, in encoding order, in v3 form; empty for "none",
/// "null" and "[]". What the text leaves out is set to a default, except for
/// blosc's typesize, which depends on the array. The numcodecs form of a codec
/// that v3 has under a name of its own becomes that; other ids get the prefix
/// "numcodecs.".
/// Throws: invalid_argument (names the part that is wrong, with a hint that
/// shows the forms; codecs that are not bytes -> bytes are refused too).
std::vector<CodecSpec> parse_codec_specs(std::string_view text);

/// "zstd, blosc, ...": the codecs that `make_codec` knows. v3 may have several
/// names for one; it stands here once.
std::string known_codecs();

}  // namespace rechunk

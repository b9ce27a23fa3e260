// What a v3 document may say of a codec that comes from v2: readers of v3
// refuse what they do not know, and numbers out of range.
#include <fmt/format.h>

#include <algorithm>

#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"

namespace rechunk {
namespace {

enum class Value { kInteger, kNumber, kText, kBoolean, kList, kAny };

struct Member {
  std::string_view codec, key;
  Value value;
  bool nullable = false;
  std::int64_t min = INT32_MIN, max = INT32_MAX;  ///< Of kInteger.
};

constexpr Member kMembers[] = {
    {"blosc", "typesize", Value::kInteger, false, 1, 255},
    {"blosc", "cname", Value::kText},
    {"blosc", "clevel", Value::kInteger, false, 0, 9},
    {"blosc", "shuffle", Value::kText},
    {"blosc", "blocksize", Value::kInteger, false, 0, INT32_MAX},
    {"gzip", "level", Value::kInteger, false, 0, 9},
    {"zstd", "level", Value::kInteger, false, -131072, 22},
    {"zstd", "checksum", Value::kBoolean},
    {"crc32c", "", Value::kAny},
    {"vlen-utf8", "", Value::kAny},
    {"vlen-bytes", "", Value::kAny},
    {"numcodecs.adler32", "location", Value::kText, true},
    {"numcodecs.astype", "encode_dtype", Value::kText},
    {"numcodecs.astype", "decode_dtype", Value::kText},
    {"numcodecs.base64", "", Value::kAny},
    {"numcodecs.bitround", "keepbits", Value::kInteger, false, 0, 64},
    {"numcodecs.bz2", "level", Value::kInteger, false, 1, 9},
    {"numcodecs.categorize", "labels", Value::kList},
    {"numcodecs.categorize", "dtype", Value::kText},
    {"numcodecs.categorize", "astype", Value::kText},
    {"numcodecs.crc32", "location", Value::kText, true},
    {"numcodecs.crc32c", "location", Value::kText, true},
    {"numcodecs.delta", "dtype", Value::kText},
    {"numcodecs.delta", "astype", Value::kText, true},
    {"numcodecs.fixedscaleoffset", "offset", Value::kNumber},
    {"numcodecs.fixedscaleoffset", "scale", Value::kNumber},
    {"numcodecs.fixedscaleoffset", "dtype", Value::kText},
    {"numcodecs.fixedscaleoffset", "astype", Value::kText, true},
    {"numcodecs.fletcher32", "", Value::kAny},
    {"numcodecs.jenkins_lookup3", "initval", Value::kInteger, false, 0,
     UINT32_MAX},
    {"numcodecs.jenkins_lookup3", "prefix", Value::kAny},
    {"numcodecs.lz4", "acceleration", Value::kInteger},
    {"numcodecs.lzma", "format", Value::kInteger, false, 0, 3},
    {"numcodecs.lzma", "check", Value::kInteger, false, -1, 15},
    {"numcodecs.lzma", "preset", Value::kInteger, true, 0, UINT32_MAX},
    {"numcodecs.lzma", "filters", Value::kList, true},
    {"numcodecs.packbits", "", Value::kAny},
    {"numcodecs.quantize", "digits", Value::kInteger},
    {"numcodecs.quantize", "dtype", Value::kText},
    {"numcodecs.quantize", "astype", Value::kText, true},
    {"numcodecs.shuffle", "elementsize", Value::kInteger, false, 1, INT32_MAX},
    {"numcodecs.vlen-array", "dtype", Value::kText},
    {"numcodecs.zlib", "level", Value::kInteger, false, -1, 9},
};

bool fits(std::string_view json, const Member& member) {
  if (json == "null" && member.nullable) return true;
  switch (member.value) {
    case Value::kInteger: {
      const auto number = raw_json::as_integer(json);
      return number && *number >= member.min && *number <= member.max;
    }
    case Value::kNumber:
      return raw_json::is_number(json);
    case Value::kText:
      return raw_json::is_string(json);
    case Value::kBoolean:
      return json == "true" || json == "false";
    case Value::kList:
      return raw_json::is_list(json);
    case Value::kAny:
      return true;
  }
  return false;
}

bool is_listed(std::string_view codec) {
  return std::any_of(std::begin(kMembers), std::end(kMembers),
                     [&](const Member& row) { return row.codec == codec; });
}

}  // namespace

CodecSpec codec_in_v3(const CodecSpec& codec) {
  if (!is_listed(codec.name)) return codec;
  CodecSpec result = codec;
  for (const auto& member : raw_json::members(codec.configuration)) {
    const auto row = std::find_if(
        std::begin(kMembers), std::end(kMembers), [&](const Member& known) {
          return known.codec == codec.name && known.key == member.key;
        });
    if (row == std::end(kMembers))
      result.configuration =
          raw_json::without_member(result.configuration, member.key);
    else if (!fits(member.text, *row))
      throw Error(
          ErrorKind::kUnsupported,
          fmt::format("Zarr v3 cannot say \"{}\": {} of codec {}", member.key,
                      raw_json::excerpt(member.text), codec.name),
          "choose another codec: --codec zstd:3");
  }
  return result;
}

}  // namespace rechunk

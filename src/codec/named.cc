// Codecs that rechunk knows by name only. It can move what they made as it is
// stored, and say them in v2 and in v3. A codec that gets a file of its own
// leaves this list. "bytes", "transpose" and "sharding_indexed" arrange
// elements: zarr/ does what they say.
#include "codec/codecs.h"

namespace rechunk {
namespace {

using Value = CodecMember::Value;

constexpr CodecMember text(std::string_view key, bool nullable = false) {
  return {.key = key, .value = Value::kText, .nullable = nullable};
}
constexpr CodecMember whole(std::string_view key, std::int64_t min,
                            std::int64_t max) {
  return {.key = key, .value = Value::kInteger, .min = min, .max = max};
}
constexpr bool kNullable = true;

constexpr CodecMember kLocation[] = {text("location", kNullable)};
constexpr CodecMember kTypes[] = {text("dtype"), text("astype", kNullable)};
constexpr CodecMember kAstype[] = {text("encode_dtype"), text("decode_dtype")};
constexpr CodecMember kBitround[] = {whole("keepbits", 0, 64)};
constexpr CodecMember kCategorize[] = {
    {.key = "labels", .value = Value::kList}, text("dtype"), text("astype")};
constexpr CodecMember kFixedScaleOffset[] = {
    {.key = "offset", .value = Value::kNumber},
    {.key = "scale", .value = Value::kNumber},
    text("dtype"),
    text("astype", kNullable)};
constexpr CodecMember kQuantize[] = {whole("digits", INT32_MIN, INT32_MAX),
                                     text("dtype"), text("astype", kNullable)};
constexpr CodecMember kDtype[] = {text("dtype")};
constexpr CodecMember kBz2[] = {{.key = "level",
                                 .value = Value::kInteger,
                                 .min = 1,
                                 .max = 9,
                                 .shown = true}};
constexpr CodecMember kLzma[] = {
    whole("format", 0, 3),
    whole("check", -1, 15),
    {.key = "preset",
     .value = Value::kInteger,
     .nullable = true,
     .min = 0,
     .max = UINT32_MAX},
    {.key = "filters", .value = Value::kList, .nullable = true}};
constexpr CodecMember kElementSize[] = {whole("elementsize", 1, INT32_MAX)};
constexpr CodecMember kJenkins[] = {whole("initval", 0, UINT32_MAX),
                                    {.key = "prefix"}};

constexpr CodecRow filter(std::string_view name,
                          std::optional<CodecMembers> members = {}) {
  return {.name = name, .kind = CodecKind::kArrayToArray, .members = members};
}
constexpr CodecRow to_bytes(std::string_view name,
                            std::optional<CodecMembers> members = {}) {
  return {.name = name, .kind = CodecKind::kArrayToBytes, .members = members};
}
constexpr CodecRow bytes_only(std::string_view name, CodecMembers members) {
  return {.name = name, .kind = CodecKind::kBytesToBytes, .members = members};
}
/// v2 has it under the same name; it has no members.
constexpr CodecRow variable_length(std::string_view name) {
  CodecRow row = to_bytes(name, CodecMembers());
  row.v2_id = name;
  row.from_v2 = no_members_from_v2;
  row.to_v2 = no_members_to_v2;
  return row;
}
constexpr CodecRow bare(CodecRow row) {
  row.is_bare = true;
  return row;
}
/// Its elements are bytes.
constexpr CodecRow of_single_bytes(CodecRow row) {
  row.encoded_item_bytes = 1;
  return row;
}

constexpr CodecRow kNamedRows[] = {
    filter("transpose"),
    filter("bitround"),
    filter("scale_offset"),
    filter("cast_value"),
    filter("reshape"),
    filter("numcodecs.delta", kTypes),
    filter("numcodecs.bitround", kBitround),
    filter("numcodecs.astype", kAstype),
    filter("numcodecs.fixedscaleoffset", kFixedScaleOffset),
    filter("numcodecs.quantize", kQuantize),
    of_single_bytes(filter("numcodecs.packbits", CodecMembers())),
    filter("numcodecs.categorize", kCategorize),
    bare(to_bytes("bytes")),
    to_bytes("sharding_indexed"),
    variable_length("vlen-utf8"),
    variable_length("vlen-bytes"),
    to_bytes("packbits"),
    to_bytes("zfp"),
    to_bytes("numcodecs.pcodec"),
    to_bytes("numcodecs.zfpy"),
    to_bytes("numcodecs.vlen-array", kDtype),
    to_bytes("numcodecs.json2"),
    to_bytes("numcodecs.msgpack2"),
    to_bytes("numcodecs.pickle"),
    bytes_only("numcodecs.bz2", kBz2),
    bytes_only("numcodecs.lzma", kLzma),
    bytes_only("numcodecs.shuffle", kElementSize),
    bytes_only("numcodecs.crc32", kLocation),
    bytes_only("numcodecs.adler32", kLocation),
    bytes_only("numcodecs.fletcher32", CodecMembers()),
    bytes_only("numcodecs.jenkins_lookup3", kJenkins),
    bytes_only("numcodecs.base64", CodecMembers()),
};

}  // namespace

CodecRows named_codecs() { return kNamedRows; }

}  // namespace rechunk

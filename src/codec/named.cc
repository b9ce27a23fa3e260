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

constexpr CodecMember kCategorize[] = {
    {.key = "labels", .value = Value::kList}, text("dtype"), text("astype")};
constexpr CodecMember kDtype[] = {text("dtype")};

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
    bytes_only("numcodecs.base64", CodecMembers()),
};

}  // namespace

CodecRows named_codecs() { return kNamedRows; }

}  // namespace rechunk

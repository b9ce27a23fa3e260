// What a v3 document may say of a codec that comes from v2: readers of v3
// refuse what they do not know, and numbers out of range.
#include <fmt/format.h>

#include <algorithm>

#include "codec/codec_row.h"
#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"

namespace rechunk {
namespace {

using Value = CodecMember::Value;

bool fits(std::string_view json, const CodecMember& member) {
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

}  // namespace

CodecSpec codec_in_v3(const CodecSpec& codec) {
  const CodecRow* row = find_codec(codec.name);
  if (!row || !row->members) return codec;
  CodecSpec result = codec;
  for (const auto& member : raw_json::members(codec.configuration)) {
    const auto known = std::find_if(
        row->members->begin(), row->members->end(),
        [&](const CodecMember& each) { return each.key == member.key; });
    if (known == row->members->end())
      result.configuration =
          raw_json::without_member(result.configuration, member.key);
    else if (!fits(member.text, *known))
      throw Error(
          ErrorKind::kUnsupported,
          fmt::format("Zarr v3 cannot say \"{}\": {} of codec {}", member.key,
                      raw_json::excerpt(member.text), codec.name),
          "choose another codec: " + option("codec", "zstd:3"));
  }
  return result;
}

}  // namespace rechunk

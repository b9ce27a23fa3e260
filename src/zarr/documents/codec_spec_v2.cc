#include <fmt/format.h>

#include "codec/codec_row.h"
#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"
#include "zarr/elements/element_type.h"

namespace rechunk {
namespace {

/// The row of {"id": ...}; nullptr if there is none.
const CodecRow* row_of(std::string_view json) {
  const auto text = raw_json::find(json, "id");
  const auto id = text ? raw_json::as_string(*text) : std::nullopt;
  return id ? find_v2_codec(*id) : nullptr;
}

}  // namespace

CodecSpec codec_from_v2(std::string_view json, std::int64_t item_bytes) {
  const auto id_text =
      raw_json::is_object(json) ? raw_json::find(json, "id") : std::nullopt;
  const auto id = id_text ? raw_json::as_string(*id_text) : std::nullopt;
  if (!id || id->empty())
    throw Error(ErrorKind::kCorrupt, "not a codec: " + raw_json::excerpt(json));
  const CodecRow* row = find_v2_codec(*id);
  if (row && row->from_v2)
    return {std::string(row->name), row->from_v2(json, item_bytes)};
  return {std::string(kNumcodecsPrefix) + *id,
          raw_json::without_member(json, "id")};
}

std::string standard_codec_v2(std::string_view json) {
  const CodecRow* row = row_of(json);
  return row && row->standard_v2 ? row->standard_v2(json) : std::string(json);
}

std::int64_t encoded_item_bytes(const CodecSpec& codec,
                                std::int64_t item_bytes) {
  const CodecRow* row = find_codec(codec.name);
  if (!row || row->kind != CodecKind::kArrayToArray) return 1;
  if (row->encoded_item_bytes > 0) return row->encoded_item_bytes;
  // Filters name the type that they write in one of these. If there is only
  // "dtype", they write the type that they read.
  for (const char* key : {"astype", "encode_dtype", "dtype"}) {
    const auto text = raw_json::find(codec.configuration, key);
    const auto dtype = text ? raw_json::as_string(*text) : std::nullopt;
    if (dtype) return parse_type_v2(*dtype).bytes;
  }
  return item_bytes;
}

std::string codec_to_v2(const CodecSpec& codec) {
  const CodecRow* row = find_codec(codec.name);
  std::string_view id = row ? row->v2_id : std::string_view();
  if (id.empty() && codec.name.starts_with(kNumcodecsPrefix))
    id = std::string_view(codec.name).substr(kNumcodecsPrefix.size());
  if (id.empty())
    throw Error(ErrorKind::kUnsupported,
                fmt::format("Zarr v2 has no codec {}", codec.name));
  const std::string configuration =
      row && row->to_v2 ? row->to_v2(codec.configuration) : codec.configuration;
  std::string json = fmt::format(R"({{"id": {})", raw_json::quote(id));
  for (const auto& member : raw_json::members(configuration))
    json += fmt::format(", {}", member.whole);
  return json + '}';
}

CodecSpec completed_codec(const CodecSpec& codec, std::int64_t item_bytes) {
  const CodecRow* row = find_codec(codec.name);
  if (!row || !row->completed) return codec;
  return {codec.name, row->completed(codec.configuration, item_bytes)};
}

}  // namespace rechunk

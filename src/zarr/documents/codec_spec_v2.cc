#include <fmt/format.h>

#include <utility>

#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"
#include "zarr/elements/element_type.h"

namespace rechunk {
namespace {

constexpr std::string_view kPrefix = "numcodecs.";
constexpr std::string_view kShuffles[] = {"noshuffle", "shuffle", "bitshuffle"};

/// A value of the configuration as it stands, or the default.
std::string value_or(std::string_view configuration, std::string_view key,
                     std::string_view fallback) {
  const auto value = raw_json::find(configuration, key);
  return std::string(value && *value != "null" ? *value : fallback);
}

/// The checksum of zstd; GDAL writes a word.
std::string zstd_checksum(std::string_view json) {
  const std::string value = value_or(json, "checksum", "false");
  if (value == "\"NO\"") return "false";
  if (value == "\"YES\"") return "true";
  return value;
}

/// zstd takes the highest level that it has for anything above it.
std::string zstd_level(std::string_view json) {
  constexpr std::int64_t kHighest = 22;
  const std::string value = value_or(json, "level", "0");
  const auto level = raw_json::as_integer(value);
  return level && *level > kHighest ? std::to_string(kHighest) : value;
}

/// -1 is zlib's default level, which v3 has to name.
std::string gzip_level(std::string_view json) {
  const std::string value = value_or(json, "level", "1");
  return value == "-1" ? "6" : value;
}

std::int64_t blosc_typesize(std::int64_t item_bytes) {
  // The blosc header has one byte for it, and 1 stands for larger ones.
  return item_bytes >= 1 && item_bytes <= 255 ? item_bytes : 1;
}

/// The name of v2's number; -1 lets numcodecs choose by the element size.
std::string shuffle_name(std::string_view json, std::int64_t item_bytes) {
  auto number = raw_json::as_integer(json);
  if (number == -1) number = item_bytes == 1 ? 2 : 1;
  if (!number || *number < 0 || *number > 2)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("codec blosc: unknown shuffle {}",
                            raw_json::excerpt(json)));
  return raw_json::quote(kShuffles[*number]);
}

CodecSpec blosc_from_v2(std::string_view json, std::int64_t item_bytes) {
  const std::int64_t typesize = blosc_typesize(item_bytes);
  return {"blosc",
          fmt::format(R"({{"typesize": {}, "cname": {}, "clevel": {}, )"
                      R"("shuffle": {}, "blocksize": {}}})",
                      typesize, value_or(json, "cname", "\"lz4\""),
                      value_or(json, "clevel", "5"),
                      shuffle_name(value_or(json, "shuffle", "1"), typesize),
                      value_or(json, "blocksize", "0"))};
}

std::string blosc_to_v2(std::string_view configuration) {
  const std::string shuffle = value_or(configuration, "shuffle", "\"shuffle\"");
  int number = -1;
  for (int i = 0; i < 3; ++i)
    if (raw_json::as_string(shuffle) == kShuffles[i]) number = i;
  if (number < 0)
    throw Error(ErrorKind::kUnsupported,
                "codec blosc: unknown shuffle " + raw_json::excerpt(shuffle));
  return fmt::format(R"({{"id": "blosc", "cname": {}, "clevel": {}, )"
                     R"("shuffle": {}, "blocksize": {}}})",
                     value_or(configuration, "cname", "\"lz4\""),
                     value_or(configuration, "clevel", "5"), number,
                     value_or(configuration, "blocksize", "0"));
}

std::string zstd_to_v2(std::string_view configuration) {
  // TensorStore knows no member "checksum" in v2.
  const bool checksum = value_or(configuration, "checksum", "false") == "true";
  return fmt::format(R"({{"id": "zstd", "level": {}{}}})",
                     value_or(configuration, "level", "0"),
                     checksum ? R"(, "checksum": true)" : "");
}

}  // namespace

CodecSpec codec_from_v2(std::string_view json, std::int64_t item_bytes) {
  const auto id_text =
      raw_json::is_object(json) ? raw_json::find(json, "id") : std::nullopt;
  const auto id = id_text ? raw_json::as_string(*id_text) : std::nullopt;
  if (!id || id->empty())
    throw Error(ErrorKind::kCorrupt, "not a codec: " + raw_json::excerpt(json));
  if (*id == "blosc") return blosc_from_v2(json, item_bytes);
  if (*id == "gzip")
    return {*id, fmt::format(R"({{"level": {}}})", gzip_level(json))};
  if (*id == "zstd")
    return {*id, fmt::format(R"({{"level": {}, "checksum": {}}})",
                             zstd_level(json), zstd_checksum(json))};
  if (*id == "vlen-utf8" || *id == "vlen-bytes") return {*id, "{}"};
  return {std::string(kPrefix) + *id, raw_json::without_member(json, "id")};
}

std::string standard_codec_v2(std::string_view json) {
  const auto id = raw_json::find(json, "id");
  const auto checksum = raw_json::find(json, "checksum");
  if (id != "\"zstd\"" || !checksum || !raw_json::is_string(*checksum))
    return std::string(json);
  const std::string without = raw_json::without_member(json, "checksum");
  const std::string value = zstd_checksum(json);
  // TensorStore knows no such member.
  return value == "false" ? without
                          : raw_json::with_member(without, "checksum", value);
}

std::int64_t encoded_item_bytes(const CodecSpec& codec,
                                std::int64_t item_bytes) {
  if (codec_kind(codec.name) != CodecKind::kArrayToArray) return 1;
  if (codec.name == "numcodecs.packbits") return 1;
  for (const char* key : {"astype", "encode_dtype", "dtype"}) {
    const auto text = raw_json::find(codec.configuration, key);
    const auto dtype = text ? raw_json::as_string(*text) : std::nullopt;
    if (dtype) return parse_type_v2(*dtype).bytes;
  }
  return item_bytes;
}

std::string codec_to_v2(const CodecSpec& codec) {
  if (codec.name == "blosc") return blosc_to_v2(codec.configuration);
  if (codec.name == "zstd") return zstd_to_v2(codec.configuration);
  if (codec.name == "gzip")
    return fmt::format(R"({{"id": "gzip", "level": {}}})",
                       value_or(codec.configuration, "level", "1"));
  if (codec.name == "vlen-utf8" || codec.name == "vlen-bytes")
    return fmt::format(R"({{"id": "{}"}})", codec.name);
  if (!codec.name.starts_with(kPrefix))
    throw Error(ErrorKind::kUnsupported,
                fmt::format("Zarr v2 has no codec {}", codec.name));
  std::string json = fmt::format(
      R"({{"id": {})", raw_json::quote(codec.name.substr(kPrefix.size())));
  for (const auto& member : raw_json::members(codec.configuration))
    json += fmt::format(", {}", member.whole);
  return json + '}';
}

CodecSpec completed_codec(const CodecSpec& codec, std::int64_t item_bytes) {
  if (codec.name != "blosc" || raw_json::find(codec.configuration, "typesize"))
    return codec;
  return {codec.name,
          raw_json::with_member(codec.configuration, "typesize",
                                std::to_string(blosc_typesize(item_bytes)))};
}

}  // namespace rechunk

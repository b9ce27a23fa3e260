#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"
#include "zarr/documents/metadata.h"
#include "zarr/documents/metadata_text.h"
#include "zarr/elements/element_type.h"
#include "zarr/elements/fill_value.h"

namespace rechunk {
namespace {

/// An extension point: a bare name or {"name", "configuration"}.
struct Extension {
  std::string name;
  std::string_view configuration = "{}";
};

Extension parse_extension(std::string_view key, std::string_view json) {
  if (const auto name = raw_json::as_string(json)) return {*name, "{}"};
  if (!raw_json::is_object(json)) bad_member(key, json);
  Extension extension;
  for (const auto& member : raw_json::members(json)) {
    if (member.key == "name")
      extension.name = raw_json::as_string(member.text).value_or("");
    if (member.key == "configuration") extension.configuration = member.text;
  }
  if (extension.name.empty() || !raw_json::is_object(extension.configuration))
    bad_member(key, json);
  return extension;
}

Shape parse_grid(std::string_view json, const Shape& shape) {
  if (raw_json::is_object(json) && !raw_json::find(json, "name") &&
      raw_json::find(json, "type"))
    // Not corrupt: in a group, such an array is kept as it is.
    throw Error(ErrorKind::kUnsupported,
                "a chunk grid of an early draft of Zarr v3");
  const Extension grid = parse_extension("chunk_grid", json);
  if (grid.name != "regular")
    throw Error(ErrorKind::kUnsupported,
                fmt::format("chunk grid \"{}\"; only regular grids can be read",
                            grid.name));
  const auto chunks = raw_json::find(grid.configuration, "chunk_shape");
  if (!chunks) bad_member("chunk_grid", json);
  return parse_chunk_shape(*chunks, "chunk_shape", shape);
}

ChunkKeyEncoding parse_key_encoding(std::string_view json) {
  const Extension encoding = parse_extension("chunk_key_encoding", json);
  if (encoding.name != "default" && encoding.name != "v2")
    throw Error(ErrorKind::kUnsupported,
                fmt::format("chunk key encoding \"{}\"", encoding.name));
  ChunkKeyEncoding result;
  result.v2 = encoding.name == "v2";
  // If a document names no separator, each encoding has its own.
  result.separator = result.v2 ? '.' : '/';
  const auto text = raw_json::find(encoding.configuration, "separator");
  const auto separator = text ? raw_json::as_string(*text) : std::nullopt;
  if (text && separator != "." && separator != "/")
    bad_member("chunk_key_encoding", json);
  if (separator) result.separator = separator->front();
  return result;
}

/// The byte order that the innermost "bytes" codec names.
bool stored_big_endian(const std::vector<CodecSpec>& codecs, std::size_t rank,
                       int levels = 0) {
  constexpr int kMaxLevels = 16;
  const CodecSpec middle = split_codecs(codecs).middle;
  if (is_sharding(middle)) {
    // A document may come from anybody, so the recursion has a limit.
    if (levels == kMaxLevels)
      throw Error(ErrorKind::kCorrupt, "shards within more than 16 shards");
    return stored_big_endian(parse_sharding(middle, rank).codecs, rank,
                             levels + 1);
  }
  if (middle.name != "bytes") return false;
  const auto endian = raw_json::find(middle.configuration, "endian");
  if (endian && *endian != "\"little\"" && *endian != "\"big\"")
    throw Error(ErrorKind::kCorrupt,
                "codec bytes: unknown endian " + raw_json::excerpt(*endian));
  return endian == "\"big\"";
}

std::optional<std::vector<std::optional<std::string>>> parse_dimension_names(
    std::string_view json, std::size_t rank) {
  if (json == "null") return {};
  if (!raw_json::is_list(json)) bad_member("dimension_names", json);
  std::vector<std::optional<std::string>> names;
  for (std::string_view element : raw_json::elements(json)) {
    names.push_back(raw_json::as_string(element));
    if (!names.back() && element != "null") bad_member("dimension_names", json);
  }
  if (names.size() != rank) bad_member("dimension_names", json);
  return names;
}

void parse_optional(const raw_json::Member& member, ArrayMetadata& metadata) {
  const std::size_t rank = metadata.shape.size();
  if (member.key == "attributes") {
    if (member.text != "null")
      metadata.attributes = parse_attributes(member.text);
  } else if (member.key == "dimension_names") {
    check_length(member);
    metadata.dimension_names = parse_dimension_names(member.text, rank);
  } else if (member.key == "storage_transformers") {
    check_length(member);
    if (member.text != "null" && raw_json::canonical(member.text) != "[]")
      throw Error(ErrorKind::kUnsupported,
                  "storage transformers " + raw_json::excerpt(member.text));
  } else {
    metadata.extra.push_back(optional_extension(member));
  }
}

bool is_parsed(const raw_json::Member& member) {
  constexpr std::string_view kParsed[] = {
      "zarr_format", "node_type", "shape",      "chunk_grid",
      "codecs",      "data_type", "fill_value", "chunk_key_encoding"};
  return std::find(std::begin(kParsed), std::end(kParsed), member.key) !=
         std::end(kParsed);
}

ArrayMetadata parse_v3(std::string_view document) {
  Members members;
  const auto all = document_members(document);
  if (is_early_draft(document))
    throw Error(ErrorKind::kUnsupported,
                "a document of an early draft of Zarr v3",
                "the zarr-python 2 that wrote it can write it as Zarr v2");
  for (const auto& member : all) {
    members[member.key] = member.text;
    if (is_parsed(member)) check_length(member);
  }
  const auto format = required_member(members, "zarr_format");
  if (raw_json::as_integer(format) != 3) bad_member("zarr_format", format);
  const auto node_type = required_member(members, "node_type");
  if (raw_json::as_string(node_type) != "array")
    bad_member("node_type", node_type);

  ArrayMetadata metadata;
  metadata.shape = parse_shape(required_member(members, "shape"), "shape");
  const std::size_t rank = metadata.shape.size();
  metadata.chunks =
      parse_grid(required_member(members, "chunk_grid"), metadata.shape);
  metadata.key_encoding =
      parse_key_encoding(required_member(members, "chunk_key_encoding"));
  metadata.codecs = with_context(
      [&] { return parse_codecs_v3(required_member(members, "codecs")); },
      [] { return std::string("member \"codecs\""); });
  // In v3 the codecs know the byte order of the type. So they come first.
  const bool big_endian =
      with_context([&] { return stored_big_endian(metadata.codecs, rank); },
                   [] { return std::string("member \"codecs\""); });
  metadata.data_type = with_context(
      [&] {
        return parse_data_type_v3(required_member(members, "data_type"),
                                  big_endian);
      },
      [] { return std::string("member \"data_type\""); });
  metadata.fill_value = parse_fill_value(required_member(members, "fill_value"),
                                         metadata.data_type, 3);
  for (const auto& member : all)
    if (!is_parsed(member)) parse_optional(member, metadata);
  return metadata;
}

std::string format_key_encoding(const ChunkKeyEncoding& encoding) {
  return fmt::format(
      R"({{"name": "{}", "configuration": {{"separator": "{}"}}}})",
      encoding.v2 ? "v2" : "default", encoding.separator);
}

std::string format_dimension_names(const ArrayMetadata& metadata) {
  std::string json;
  for (const auto& name : *metadata.dimension_names)
    json += (json.empty() ? "" : ", ") +
            (name ? raw_json::quote(*name) : std::string("null"));
  return '[' + json + ']';
}

}  // namespace

ArrayMetadata parse_array_v3(const std::string& zarr_json) {
  return with_context([&] { return parse_v3(zarr_json); },
                      [] { return std::string("parsing zarr.json"); });
}

std::vector<std::pair<std::string, std::string>> format_array_v3(
    const ArrayMetadata& metadata) {
  DocumentText document;
  document.add("shape", format_shape(metadata.shape));
  document.add("data_type", metadata.data_type.v3);
  document.add(
      "chunk_grid",
      fmt::format(
          R"({{"name": "regular", "configuration": {{"chunk_shape": {}}}}})",
          format_shape(metadata.chunks)));
  document.add("chunk_key_encoding",
               format_key_encoding(metadata.key_encoding));
  document.add("fill_value", metadata.fill_value.json);
  document.add("codecs", format_codecs_v3(metadata.codecs));
  document.add_verbatim("attributes", metadata.attributes.value_or("{}"));
  if (metadata.dimension_names)
    document.add("dimension_names", format_dimension_names(metadata));
  document.add("zarr_format", "3");
  document.add("node_type", "\"array\"");
  document.add("storage_transformers", "[]");
  for (const auto& [key, text] : metadata.extra)
    document.add_verbatim(key, text);
  return {{"zarr.json", document.text()}};
}

}  // namespace rechunk

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

std::string_view optional_member(const Members& members, const std::string& key,
                                 std::string_view fallback) {
  const auto found = members.find(key);
  return found == members.end() ? fallback : found->second;
}

bool parse_order_f(const Members& members) {
  const auto order =
      raw_json::as_string(optional_member(members, "order", "\"C\""));
  if (order != "C" && order != "F") bad_member("order", members.at("order"));
  return order == "F";
}

char parse_separator(const Members& members) {
  const std::string_view text =
      optional_member(members, "dimension_separator", "null");
  if (text == "null") return '.';
  const auto separator = raw_json::as_string(text);
  if (separator != "." && separator != "/")
    bad_member("dimension_separator", text);
  return separator->front();
}

void parse_dtype(std::string_view json, ArrayMetadata& metadata) {
  const auto text = raw_json::as_string(json);
  if (!text && !raw_json::is_list(json)) bad_member("dtype", json);
  const std::string dtype = text ? *text : std::string(json);
  metadata.data_type =
      with_context([&] { return parse_data_type_v2(dtype); },
                   [] { return std::string("member \"dtype\""); });
  if (metadata.data_type.v2 != dtype) metadata.v2_dtype = dtype;
}

std::vector<std::string_view> v2_codecs(const Members& members) {
  std::vector<std::string_view> codecs;
  const auto filters = optional_member(members, "filters", "null");
  if (filters != "null") {
    if (!raw_json::is_list(filters)) bad_member("filters", filters);
    codecs = raw_json::elements(filters);
    check_codec_count(codecs.size());
  }
  const auto compressor = optional_member(members, "compressor", "null");
  if (compressor != "null") codecs.push_back(compressor);
  return codecs;
}

std::string transpose_configuration(std::size_t rank) {
  Shape order;
  for (std::size_t axis = rank; axis-- > 0;)
    order.push_back(static_cast<std::int64_t>(axis));
  return fmt::format(R"({{"order": {}}})", format_shape(order));
}

/// Order F, filters, byte order and compressor as a list of v3. Filters from
/// elements to elements come before "bytes", all others after it.
std::vector<CodecSpec> v3_codecs(const Members& members,
                                 const ArrayMetadata& metadata) {
  std::vector<CodecSpec> codecs;
  const std::size_t rank = metadata.shape.size();
  if (metadata.v2_order_f && rank > 1)
    codecs.push_back({"transpose", transpose_configuration(rank)});
  bool has_bytes = false;
  const auto add_bytes = [&] {
    if (!has_bytes) codecs.push_back(bytes_codec(metadata.data_type));
    has_bytes = true;
  };
  std::int64_t item_bytes = metadata.data_type.item_bytes;
  for (std::string_view json : v2_codecs(members)) {
    CodecSpec codec = codec_from_v2(json, item_bytes);
    const CodecKind kind = codec_kind(codec.name);
    // A filter such as vlen-utf8 makes bytes itself.
    if (kind == CodecKind::kArrayToBytes)
      has_bytes = true;
    else if (kind != CodecKind::kArrayToArray)
      add_bytes();
    // The next filter gets the elements that this one writes.
    item_bytes = encoded_item_bytes(codec, item_bytes);
    codecs.push_back(std::move(codec));
  }
  add_bytes();
  return codecs;
}

/// Objects become strings in v3 if their codec says so.
void set_object_type(ArrayMetadata& metadata) {
  DataType& type = metadata.data_type;
  if (type.v2 != "|O") return;
  for (const CodecSpec& codec : metadata.codecs) {
    if (codec.name == "vlen-utf8") type.v3 = "\"string\"";
    if (codec.name == "vlen-bytes") type.v3 = "\"variable_length_bytes\"";
  }
}

ArrayMetadata parse_v2(std::string_view zarray) {
  Members members;
  ArrayMetadata metadata;
  metadata.zarr_format = 2;
  constexpr std::string_view kKnown[] = {
      "zarr_format", "shape",      "chunks",
      "dtype",       "compressor", "filters",
      "fill_value",  "order",      "dimension_separator"};
  for (const auto& member : document_members(zarray)) {
    members[member.key] = member.text;
    if (std::find(std::begin(kKnown), std::end(kKnown), member.key) ==
        std::end(kKnown))
      metadata.extra.emplace_back(member.key, member.text);
    else
      check_length(member);
  }
  const auto format = required_member(members, "zarr_format");
  if (raw_json::as_integer(format) != 2) bad_member("zarr_format", format);
  metadata.shape = parse_shape(required_member(members, "shape"), "shape");
  metadata.chunks = parse_chunk_shape(required_member(members, "chunks"),
                                      "chunks", metadata.shape);
  parse_dtype(required_member(members, "dtype"), metadata);
  metadata.v2_order_f = parse_order_f(members);
  metadata.key_encoding = {true, parse_separator(members)};
  metadata.codecs = v3_codecs(members, metadata);
  metadata.v2_compressor = optional_member(members, "compressor", "null");
  metadata.v2_filters = optional_member(members, "filters", "null");
  if (raw_json::canonical(metadata.v2_filters) == "[]")
    metadata.v2_filters = "null";
  set_object_type(metadata);
  metadata.fill_value = parse_fill_value(
      optional_member(members, "fill_value", "null"), metadata.data_type, 2);
  return metadata;
}

using Names = std::optional<std::vector<std::optional<std::string>>>;

/// A list with one name per dimension.
Names parse_names(std::string_view json, std::size_t rank) {
  if (!raw_json::is_list(json)) return {};
  std::vector<std::optional<std::string>> names;
  for (std::string_view element : raw_json::elements(json)) {
    const auto name = raw_json::as_string(element);
    if (!name && element != "null") return {};
    names.push_back(name);
  }
  if (names.size() != rank) return {};
  return names;
}

/// The names that NCZarr keeps, with the paths of their groups: in a member of
/// .zarray, or of .zattrs, as netcdf-c writes it since 4.9.3.
Names nczarr_names(const ArrayMetadata& metadata) {
  const auto names = [&](std::string_view key, std::string_view json) -> Names {
    if ((key != "_NCZARR_ARRAY" && key != "_nczarr_array") ||
        !raw_json::is_object(json))
      return {};
    for (const char* member : {"dimrefs", "dimension_references"}) {
      const auto list = raw_json::find(json, member);
      auto paths = list ? parse_names(*list, metadata.shape.size()) : Names();
      if (!paths) continue;
      for (auto& path : *paths)
        if (path) path->erase(0, path->rfind('/') + 1);
      return paths;
    }
    return {};
  };
  for (const auto& [key, text] : metadata.extra)
    if (auto found = names(key, text)) return found;
  if (!metadata.attributes) return {};
  const auto text = raw_json::find(*metadata.attributes, "_nczarr_array");
  return text ? names("_nczarr_array", *text) : std::nullopt;
}

/// The names that xarray sees.
Names dimension_names(const ArrayMetadata& metadata) {
  const auto text = metadata.attributes ? raw_json::find(*metadata.attributes,
                                                         kDimensionsAttribute)
                                        : std::nullopt;
  return text ? parse_names(*text, metadata.shape.size())
              : nczarr_names(metadata);
}

}  // namespace

ArrayMetadata parse_array_v2(const std::string& zarray,
                             const std::optional<std::string>& zattrs) {
  ArrayMetadata metadata =
      with_context([&] { return parse_v2(zarray); },
                   [] { return std::string("parsing .zarray"); });
  if (zattrs)
    metadata.attributes =
        with_context([&] { return parse_attributes(*zattrs); },
                     [] { return std::string("parsing .zattrs"); });
  metadata.dimension_names = dimension_names(metadata);
  return metadata;
}

std::vector<std::pair<std::string, std::string>> format_array_v2(
    const ArrayMetadata& metadata) {
  const std::string& dtype = metadata.data_type.v2;
  DocumentText document;
  document.add("shape", format_shape(metadata.shape));
  document.add("chunks", format_shape(metadata.chunks));
  document.add("dtype",
               dtype.starts_with('[') ? dtype : raw_json::quote(dtype));
  document.add("fill_value", metadata.fill_value.json);
  document.add("order", metadata.v2_order_f ? "\"F\"" : "\"C\"");
  document.add("filters", metadata.v2_filters);
  document.add("dimension_separator",
               metadata.key_encoding.separator == '/' ? "\"/\"" : "\".\"");
  document.add("compressor", metadata.v2_compressor);
  document.add("zarr_format", "2");
  for (const auto& [key, text] : metadata.extra)
    document.add_verbatim(key, text);
  std::vector<std::pair<std::string, std::string>> documents;
  if (metadata.attributes)
    documents.emplace_back(".zattrs", *metadata.attributes);
  // Written last, because nobody opens an array without it.
  documents.emplace_back(".zarray", document.text());
  return documents;
}

}  // namespace rechunk

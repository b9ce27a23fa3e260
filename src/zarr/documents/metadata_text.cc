#include "zarr/documents/metadata_text.h"

#include <fmt/format.h>

#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"

namespace rechunk {

std::vector<raw_json::Member> document_members(std::string_view document) {
  const std::string_view value = raw_json::parse(document);
  if (!raw_json::is_object(value))
    throw Error(ErrorKind::kCorrupt,
                "not a JSON object: " + raw_json::excerpt(value));
  return raw_json::members(value);
}

std::string_view required_member(const Members& members,
                                 const std::string& key) {
  const auto found = members.find(key);
  if (found == members.end())
    throw Error(ErrorKind::kCorrupt, fmt::format("member \"{}\" missing", key));
  return found->second;
}

void bad_member(std::string_view key, std::string_view json) {
  throw Error(ErrorKind::kCorrupt, fmt::format("member \"{}\" cannot be {}",
                                               key, raw_json::excerpt(json)));
}

void check_length(const raw_json::Member& member) {
  constexpr std::size_t kMaxBytes = 1 << 20;
  if (member.text.size() > kMaxBytes)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("member \"{}\" of {} bytes is too long", member.key,
                            member.text.size()));
}

bool is_early_draft(std::string_view document) {
  const auto format = raw_json::find(document, "zarr_format");
  const auto text = format ? raw_json::as_string(*format) : std::nullopt;
  return text && text->starts_with("https://purl.org/zarr/");
}

std::string parse_attributes(std::string_view document) {
  const std::string_view value = raw_json::parse(document);
  if (!raw_json::is_object(value))
    throw Error(ErrorKind::kCorrupt, "attributes are not a JSON object: " +
                                         raw_json::excerpt(value));
  return std::string(document);
}

Shape parse_chunk_shape(std::string_view json, std::string_view what,
                        const Shape& shape) {
  Shape chunks = parse_shape(json, what);
  if (chunks.size() != shape.size())
    throw Error(ErrorKind::kCorrupt,
                fmt::format("member \"{}\": {} lengths for an array of {} "
                            "dimensions",
                            what, chunks.size(), shape.size()));
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (chunks[axis] > 0) continue;
    if (shape[axis] > 0)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("member \"{}\": chunks of nothing: {}", what,
                              to_string(chunks)));
    chunks[axis] = 1;
  }
  return chunks;
}

std::pair<std::string, std::string> optional_extension(
    const raw_json::Member& member) {
  const auto flag = raw_json::is_object(member.text)
                        ? raw_json::find(member.text, "must_understand")
                        : std::nullopt;
  if (flag != "false")
    throw Error(ErrorKind::kUnsupported,
                fmt::format("unknown member \"{}\", which must be understood",
                            member.key));
  return {member.key, std::string(member.text)};
}

void DocumentText::add(std::string_view key, std::string_view value) {
  add_verbatim(key, raw_json::indented(value, 1));
}

void DocumentText::add_verbatim(std::string_view key, std::string_view value) {
  members_ += fmt::format("{}\n  {}: {}", members_.empty() ? "" : ",",
                          raw_json::quote(key), value);
}

std::string DocumentText::text() const { return "{" + members_ + "\n}"; }

std::vector<std::pair<std::string, std::string>> format_array(
    const ArrayMetadata& metadata) {
  return metadata.zarr_format == 2 ? format_array_v2(metadata)
                                   : format_array_v3(metadata);
}

}  // namespace rechunk

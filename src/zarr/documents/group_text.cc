#include "zarr/documents/group_text.h"

#include <fmt/format.h>

#include <utility>

#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/metadata_text.h"

namespace rechunk {
namespace {

constexpr std::string_view kConsolidated = "consolidated_metadata";

void check_format(std::string_view text, int zarr_format) {
  if (raw_json::as_integer(text) != zarr_format)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("member \"zarr_format\" cannot be {}",
                            raw_json::excerpt(text)));
}

/// The value of "consolidated_metadata" around members; zarr-python expects an
/// empty one in each sub-group.
std::string consolidated_member(const std::string& nodes) {
  return fmt::format(
      R"({{"kind": "inline", "must_understand": false, "metadata": {{{}}}}})",
      nodes);
}

std::string format_group_v3(const GroupMetadata& group,
                            const std::optional<std::string>& consolidated) {
  DocumentText document;
  document.add_verbatim("attributes", group.attributes.value_or("{}"));
  document.add("zarr_format", "3");
  if (consolidated) document.add_verbatim(kConsolidated, *consolidated);
  document.add("node_type", "\"group\"");
  for (const auto& [key, text] : group.extra) document.add_verbatim(key, text);
  return document.text();
}

std::string format_zgroup(const GroupMetadata& group) {
  DocumentText document;
  document.add("zarr_format", "2");
  for (const auto& [key, text] : group.extra) document.add_verbatim(key, text);
  return document.text();
}

void append_node(std::string& nodes, const std::string& key,
                 const std::string& text) {
  nodes += fmt::format("{}\n{}: {}", nodes.empty() ? "" : ",",
                       raw_json::quote(key), text);
}

/// The name of a node within a group at or above it; nothing for other nodes.
std::optional<std::string> name_within(const std::string& group,
                                       const std::string& node) {
  if (group.empty() || node == group) return node.substr(group.size());
  if (!node.starts_with(group + "/")) return {};
  return node.substr(group.size() + 1);
}

}  // namespace

bool is_group_v3(std::string_view zarr_json) {
  document_members(zarr_json);
  if (is_early_draft(zarr_json)) return false;
  const auto node_type = raw_json::find(zarr_json, "node_type");
  const auto name = node_type ? raw_json::as_string(*node_type) : std::nullopt;
  if (name != "array" && name != "group")
    throw Error(ErrorKind::kCorrupt,
                "member \"node_type\" is neither array nor group");
  return name == "group";
}

bool has_consolidated_v3(std::string_view zarr_json) {
  const auto text = raw_json::find(zarr_json, kConsolidated);
  return text && raw_json::is_object(*text);
}

std::vector<std::string> consolidated_keys(
    const std::optional<std::string>& zarr_json,
    const std::optional<std::string>& zmetadata) {
  std::optional<std::string_view> document, nodes;
  if (zarr_json)
    document = raw_json::find(raw_json::parse(*zarr_json), kConsolidated);
  else if (zmetadata)
    document = raw_json::parse(*zmetadata);
  if (document && raw_json::is_object(*document))
    nodes = raw_json::find(*document, "metadata");
  std::vector<std::string> keys;
  if (!nodes || !raw_json::is_object(*nodes)) return keys;
  for (const auto& member : raw_json::members(*nodes)) {
    std::string key =
        zarr_json ? join_key(member.key, "zarr.json") : member.key;
    if (is_document(key)) keys.push_back(std::move(key));
  }
  keys.push_back(zarr_json ? "zarr.json" : ".zmetadata");
  return keys;
}

GroupMetadata parse_group_v3(std::string_view zarr_json) {
  GroupMetadata group;
  group.attributes = "{}";
  bool has_format = false;
  for (const auto& member : document_members(zarr_json)) {
    if (member.key == "zarr_format") {
      check_format(member.text, 3);
      has_format = true;
    } else if (member.key == "attributes") {
      if (member.text != "null")
        group.attributes = parse_attributes(member.text);
    } else if (member.key != "node_type" && member.key != kConsolidated) {
      group.extra.push_back(optional_extension(member));
    }
  }
  if (!has_format)
    throw Error(ErrorKind::kCorrupt, "member \"zarr_format\" missing");
  return group;
}

GroupMetadata parse_group_v2(const std::optional<std::string>& zgroup,
                             const std::optional<std::string>& zattrs) {
  GroupMetadata group;
  group.zarr_format = 2;
  if (zattrs) group.attributes = parse_attributes(*zattrs);
  if (!zgroup) return group;
  for (const auto& member : document_members(*zgroup)) {
    if (member.key == "zarr_format")
      check_format(member.text, 2);
    else if (member.key != kConsolidated)
      group.extra.emplace_back(member.key, member.text);
  }
  return group;
}

std::vector<std::pair<std::string, std::string>> format_group(
    const GroupMetadata& group) {
  if (group.zarr_format == 3)
    return {{"zarr.json", format_group_v3(group, {})}};
  std::vector<std::pair<std::string, std::string>> documents;
  if (group.attributes) documents.emplace_back(".zattrs", *group.attributes);
  documents.emplace_back(".zgroup", format_zgroup(group));
  return documents;
}

std::string format_consolidated_v3(const Hierarchy& hierarchy,
                                   const std::string& path) {
  std::string nodes;
  for (const auto& [node, group] : hierarchy.groups)
    if (const auto name = name_within(path, node); name && !name->empty())
      append_node(nodes, *name,
                  format_group_v3(group, consolidated_member("")));
  for (const auto& [node, array] : hierarchy.arrays)
    if (const auto name = name_within(path, node))
      append_node(nodes, *name, format_array(array).back().second);
  for (const auto& [node, array] : hierarchy.unread)
    if (const auto name = name_within(path, node))
      append_node(nodes, *name, array.documents.back().second);
  return format_group_v3(hierarchy.groups.at(path), consolidated_member(nodes));
}

std::string format_consolidated_v2(const Hierarchy& hierarchy,
                                   const std::string& path) {
  std::string nodes;
  const auto add = [&](const std::string& node, const auto& documents) {
    const auto name = name_within(path, node);
    if (!name) return;
    for (const auto& [file, text] : documents)
      append_node(nodes, join_key(*name, file), text);
  };
  for (const auto& [node, group] : hierarchy.groups)
    add(node, format_group(group));
  for (const auto& [node, array] : hierarchy.arrays)
    add(node, format_array(array));
  for (const auto& [node, array] : hierarchy.unread) add(node, array.documents);
  return fmt::format(
      "{{\"metadata\": {{{}\n}},\n"
      "\"zarr_consolidated_format\": 1}}",
      nodes);
}

}  // namespace rechunk

// Writing and erasing the documents of a hierarchy, as many at a time as the
// order lets.
#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <utility>

#include "zarr/documents/group_text.h"
#include "zarr/documents/hierarchy.h"
#include "zarr/documents/keys.h"

namespace rechunk {
namespace {

/// Name and text, in the order in which a node's documents are written: the
/// last one makes the node visible.
using Documents = std::vector<std::pair<std::string, std::string>>;

/// Nodes that do not need each other, by path.
using Nodes = std::map<std::string, Documents>;

// The last documents of all nodes are written at once, before these the last
// but one, and so on.
void write_nodes(Store& store, const Nodes& nodes) {
  std::size_t most = 0;
  for (const auto& [path, documents] : nodes)
    most = std::max(most, documents.size());
  for (std::size_t behind = most; behind-- > 0;) {
    std::vector<WriteRequest> requests;
    for (const auto& [path, documents] : nodes) {
      if (documents.size() <= behind) continue;
      const auto& [name, text] = documents[documents.size() - 1 - behind];
      requests.push_back(
          {join_key(path, name), std::as_bytes(std::span<const char>(text))});
    }
    store.write_many(requests, nullptr);
  }
}

Documents group_documents(const Hierarchy& hierarchy, const std::string& path,
                          bool consolidated) {
  const GroupMetadata& group = hierarchy.groups.at(path);
  if (group.zarr_format == 3 && consolidated)
    return {{"zarr.json", format_consolidated_v3(hierarchy, path)}};
  Documents documents = format_group(group);
  if (consolidated)
    documents.emplace_back(".zmetadata",
                           format_consolidated_v2(hierarchy, path));
  return documents;
}

}  // namespace

// 1. The arrays.
// 2. The groups, by depth, the deepest first.
// 3. The root comes last, so that nobody opens an unfinished target.
void write_hierarchy(Store& store, const Hierarchy& hierarchy) {
  Nodes arrays;
  for (const auto& [path, array] : hierarchy.arrays)
    arrays[path] = format_array(array);
  for (const auto& [path, array] : hierarchy.unread)
    arrays[path] = array.documents;
  write_nodes(store, arrays);
  if (hierarchy.root_is_array) return;
  std::map<std::int64_t, Nodes, std::greater<>> groups;
  for (const auto& [path, group] : hierarchy.groups)
    if (!path.empty())
      groups[key_depth(path)][path] =
          group_documents(hierarchy, path, group.consolidated);
  for (const auto& [depth, nodes] : groups) write_nodes(store, nodes);
  write_nodes(store,
              {{"", group_documents(hierarchy, "", hierarchy.consolidated)}});
  if (hierarchy.zarr_format == 2 && !hierarchy.consolidated)
    store.erase(".zmetadata");  // A stale one would be believed.
}

void erase_hierarchy(Store& store, bool everything,
                     std::string_view spared_prefix) {
  std::vector<std::string> documents, others;
  store.list("", [&](std::string_view key, std::int64_t) {
    if (!spared_prefix.empty() && key.starts_with(spared_prefix)) return;
    if (is_document(key))
      documents.emplace_back(key);
    else if (everything)
      others.emplace_back(key);
  });
  // The root's documents go first, so that nobody opens what is half erased.
  std::sort(documents.begin(), documents.end(), outer_key_first);
  const auto inner =
      std::find_if(documents.begin(), documents.end(),
                   [](const std::string& key) { return key_depth(key) > 0; });
  store.erase_many(std::span(documents.begin(), inner));
  others.insert(others.begin(), inner, documents.end());
  store.erase_many(others);
}

}  // namespace rechunk

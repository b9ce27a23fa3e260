#include "zarr/documents/hierarchy.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <span>
#include <utility>

#include "base/array_label.h"
#include "base/at_once.h"
#include "base/text_hash.h"
#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/convert.h"
#include "zarr/documents/documents_found.h"
#include "zarr/documents/group_text.h"
#include "zarr/documents/keys.h"
#include "zarr/documents/own_folders.h"

namespace rechunk {
namespace {

/// Runs `action`. If it throws, puts the node's place before the message.
template <class Action>
auto opening(const Store& store, const std::string& path, Action&& action) {
  return with_context(std::forward<Action>(action), [&] {
    return fmt::format("opening {}", store.describe(path));
  });
}

/// The documents that a root array may have: of v3, or two of v2.
struct RootDocuments {
  std::optional<std::string> zarr_json, zarray, zattrs;

  void read_v2(const Store& store) {
    const std::string keys[] = {".zarray", ".zattrs"};
    auto texts = read_texts(store, keys);
    zarray = std::move(texts[0]);
    zattrs = std::move(texts[1]);
  }
};

RootDocuments read_root_documents(const Store& store) {
  RootDocuments root;
  if (!store.medium().is_remote) {
    root.zarr_json = read_text(store, "zarr.json");
    if (!root.zarr_json) root.read_v2(store);
    return root;
  }
  std::exception_ptr error;
  at_once(true, {[&] { root.zarr_json = read_text(store, "zarr.json"); },
                 [&] {
                   try {
                     root.read_v2(store);
                   } catch (const Error&) {
                     error = std::current_exception();
                   }
                 }});
  // Who may not list may not know either that an object is missing.
  if (!root.zarr_json && error) std::rethrow_exception(error);
  return root;
}

/// A root array is read without a listing, which may be millions of chunks.
std::optional<Hierarchy> read_root_array(const Store& store) {
  Hierarchy hierarchy;
  hierarchy.root_is_array = true;
  const auto [zarr_json, zarray, zattrs] = read_root_documents(store);
  if (zarr_json) {
    return opening(store, "zarr.json", [&]() -> std::optional<Hierarchy> {
      if (is_group_v3(*zarr_json)) return {};
      hierarchy.arrays[""] = parse_array_v3(*zarr_json);
      hierarchy.document_hashes[""] = text_hash(*zarr_json);
      return hierarchy;
    });
  }
  if (!zarray) return {};
  hierarchy.zarr_format = 2;
  hierarchy.document_hashes[""] = text_hash(*zarray);
  hierarchy.arrays[""] = opening(
      store, ".zarray", [&] { return parse_array_v2(*zarray, zattrs); });
  return hierarchy;
}

// The limit for all documents of a hierarchy and everything made of them.
constexpr std::int64_t kMaxMetadataBytes = 1 << 28;

/// Adds up what metadata take. A small document may describe large elements.
class MetadataMeter {
 public:
  explicit MetadataMeter(const Store& store) : store_(store) {}

  void add(std::int64_t bytes) {
    total_ = checked_add(total_, bytes);
    if (total_ > kMaxMetadataBytes)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("opening {}: more than {} MiB of metadata",
                              store_.describe(""), kMaxMetadataBytes >> 20));
  }
  void add(const ArrayMetadata& array) {
    add(static_cast<std::int64_t>(array.fill_value.bits.size() +
                                  array.data_type.scalars.size() *
                                      sizeof(DataType::Scalar)));
  }

 private:
  const Store& store_;
  std::int64_t total_ = 0;
};

[[noreturn]] void nothing_there(const Store& store,
                                const DocumentsFound& listing) {
  if (!store.can_list())
    throw Error(
        ErrorKind::kNotFound,
        fmt::format("opening {}: it is no Zarr array, and no group with "
                    "consolidated metadata",
                    store.describe("")),
        "without a listing, the arrays of a group are found by its "
        "consolidated metadata; one array can be opened by its own URL");
  const auto exists = store.exists();
  std::string found = !exists   ? "is empty or does not exist"
                      : *exists ? "is an empty folder"
                                : "does not exist";
  if (!listing.document_bytes.empty())
    found = fmt::format("is not a Zarr array or group itself, but holds \"{}\"",
                        key_parent(listing.document_bytes.begin()->first));
  else if (listing.other_count > 0)
    found = fmt::format(
        "holds no Zarr array or group: found {} file{} such as "
        "{}",
        listing.other_count, listing.other_count == 1 ? "" : "s",
        listing.example);
  throw Error(ErrorKind::kNotFound,
              fmt::format("opening {}: it {}", store.describe(""), found));
}

using Texts = std::map<std::string, std::string>;

/// The documents of one format, read in one batch.
Texts read_documents(const Store& store, const DocumentsFound& listing,
                     int zarr_format) {
  Texts texts;
  MetadataMeter meter(store);
  std::vector<ReadRequest> requests;
  for (const auto& [key, bytes] : listing.document_bytes) {
    const bool v3 = key_name(key) == "zarr.json";
    if (v3 != (zarr_format == 3) || key_name(key) == ".zmetadata") continue;
    // Before memory is taken for the text.
    meter.add(bytes);
    std::string& text = texts[key];
    text.resize(static_cast<std::size_t>(bytes));
    ReadRequest& request = requests.emplace_back();
    request.key = key;
    request.destination = {std::as_writable_bytes(std::span(text))};
  }
  store.read_all(requests);
  for (const ReadRequest& request : requests) {
    const auto bytes = static_cast<std::size_t>(request.bytes_read);
    texts[request.key].resize(bytes);
    if (request.found && request.bytes_read == request.object_bytes) continue;
    // Another process has replaced or removed it since it was listed.
    if (auto text = read_text(store, request.key))
      texts[request.key] = *std::move(text);
    else
      texts.erase(request.key);
  }
  return texts;
}

std::optional<std::string> text_of(const Texts& texts, const std::string& key) {
  const auto found = texts.find(key);
  if (found == texts.end()) return {};
  return found->second;
}

/// True if a node above the path is an array. Then only chunks lie at the path.
bool is_inside_array(const Hierarchy& hierarchy, std::string path) {
  while (!path.empty()) {
    path = key_parent(path);
    if (hierarchy.arrays.contains(path) || hierarchy.unread.contains(path))
      return true;
  }
  return false;
}

/// Keys ordered so that a node comes before what lies below it.
std::vector<std::string> outermost_first(const Texts& texts) {
  std::vector<std::string> keys;
  for (const auto& [key, text] : texts) keys.push_back(key);
  std::sort(keys.begin(), keys.end(), outer_key_first);
  return keys;
}

/// Reads an array with `parse`. A document that is valid but not understood is
/// kept verbatim, unless it is all there is.
template <class Parse>
void read_array(const std::string& path, const std::vector<std::string>& names,
                const Texts& texts, MetadataMeter& meter, Hierarchy& hierarchy,
                Parse&& parse) {
  try {
    meter.add(hierarchy.arrays[path] = parse());
    hierarchy.document_hashes[path] =
        text_hash(texts.at(join_key(path, names.back())));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported || path.empty()) throw;
    hierarchy.arrays.erase(path);
    UnreadArray& unread = hierarchy.unread[path];
    unread.cause = error.what();
    for (const std::string& name : names)
      if (const auto text = text_of(texts, join_key(path, name)))
        unread.documents.emplace_back(name, *text);
  }
}

void read_nodes_v3(const Store& store, const Texts& texts,
                   Hierarchy& hierarchy) {
  MetadataMeter meter(store);
  for (const std::string& key : outermost_first(texts)) {
    const std::string path = key_parent(key);
    if (is_inside_array(hierarchy, path)) continue;
    const std::string& text = texts.at(key);
    opening(store, key, [&] {
      if (is_group_v3(text)) {
        hierarchy.groups[path] = parse_group_v3(text);
        hierarchy.groups[path].consolidated =
            !path.empty() && has_consolidated_v3(text);
      } else {
        read_array(path, {"zarr.json"}, texts, meter, hierarchy,
                   [&] { return parse_array_v3(text); });
      }
    });
  }
  hierarchy.consolidated = has_consolidated_v3(texts.at("zarr.json"));
}

// In v2 a group needs no document: all above an array are groups.
void imply_groups_v2(const Store& store, const Texts& texts,
                     Hierarchy& hierarchy, std::string path) {
  for (bool root = false; !root; root = path.empty(), path = key_parent(path)) {
    if (hierarchy.groups.contains(path)) continue;
    hierarchy.groups[path] = opening(store, path, [&] {
      return parse_group_v2(text_of(texts, join_key(path, ".zgroup")),
                            text_of(texts, join_key(path, ".zattrs")));
    });
  }
}

void read_nodes_v2(const Store& store, const Texts& texts,
                   Hierarchy& hierarchy) {
  MetadataMeter meter(store);
  for (const std::string& key : outermost_first(texts)) {
    const std::string path = key_parent(key);
    if (key_name(key) == ".zattrs" || is_inside_array(hierarchy, path))
      continue;
    const bool is_array = texts.contains(join_key(path, ".zarray"));
    if (is_array)
      opening(store, path, [&] {
        read_array(path, {".zattrs", ".zarray"}, texts, meter, hierarchy, [&] {
          return parse_array_v2(texts.at(join_key(path, ".zarray")),
                                text_of(texts, join_key(path, ".zattrs")));
        });
      });
    imply_groups_v2(store, texts, hierarchy,
                    is_array ? key_parent(path) : path);
  }
}

}  // namespace

bool is_inside_unread(const Hierarchy& hierarchy, std::string_view key) {
  return std::any_of(
      hierarchy.unread.begin(), hierarchy.unread.end(),
      [&](const auto& array) { return key.starts_with(array.first + "/"); });
}

bool is_document(std::string_view key) {
  return std::find(std::begin(kDocumentNames), std::end(kDocumentNames),
                   key_name(key)) != std::end(kDocumentNames);
}

// A root array needs no listing. Else all documents are listed and read in one
// batch, and then become nodes, the outer ones first.
Hierarchy read_hierarchy(const Store& store) {
  if (auto hierarchy = read_root_array(store)) return *std::move(hierarchy);
  const DocumentsFound listing = find_documents(store);
  Hierarchy hierarchy;
  hierarchy.zarr_format = listing.has("zarr.json") ? 3 : 2;
  const Texts texts = read_documents(store, listing, hierarchy.zarr_format);
  // Another process may have removed it since it was listed.
  if (hierarchy.zarr_format == 3 && texts.contains("zarr.json")) {
    read_nodes_v3(store, texts, hierarchy);
  } else {
    read_nodes_v2(store, texts, hierarchy);
    hierarchy.consolidated = listing.has(".zmetadata");
    for (auto& [path, group] : hierarchy.groups)
      group.consolidated =
          !path.empty() && listing.has(join_key(path, ".zmetadata"));
  }
  if (hierarchy.groups.empty()) nothing_there(store, listing);
  return hierarchy;
}

Hierarchy convert_format(const Hierarchy& source, int zarr_format) {
  if (source.zarr_format == zarr_format) return source;
  for (const auto& [path, array] : source.unread)
    throw Error(ErrorKind::kUnsupported,
                fmt::format("array {}: it cannot be written as Zarr v{}: {}",
                            path, zarr_format, array.cause));
  Hierarchy target = source;
  target.zarr_format = zarr_format;
  for (auto& [path, group] : target.groups) {
    group.zarr_format = zarr_format;
    group.extra.clear();
  }
  for (auto& [path, array] : target.arrays)
    array = with_context(
        [&] { return convert_format(source.arrays.at(path), zarr_format); },
        [&] { return array_label(path); });
  return target;
}

NodeDocuments node_documents(const Store& store) {
  std::vector<ReadRequest> requests;
  // One byte each: a store may fill them at the same time.
  std::byte first[std::size(kNodeDocumentNames)];
  for (const std::string_view name : kNodeDocumentNames)
    requests.push_back(
        {.key = std::string(name),
         .destination = {std::span(first).subspan(requests.size(), 1)}});
  store.read_all(requests);
  return {requests[0].found, requests[1].found, requests[2].found};
}

bool has_metadata(const Store& store) { return node_documents(store).any(); }

}  // namespace rechunk

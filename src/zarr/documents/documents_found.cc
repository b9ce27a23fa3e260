#include "zarr/documents/documents_found.h"

#include <fmt/format.h>

#include <vector>

#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/group_text.h"
#include "zarr/documents/hierarchy.h"
#include "zarr/documents/own_folders.h"

namespace rechunk {
namespace {

/// What consolidated metadata names. Only the names are taken from it:
/// documents are read themselves.
DocumentsFound named_documents(const Store& store) {
  std::vector<ReadRequest> requests;
  for (const std::string& key : consolidated_keys(
           read_text(store, "zarr.json"), read_text(store, ".zmetadata")))
    requests.push_back({.key = key});
  store.read_all(requests);
  DocumentsFound listing;
  for (const ReadRequest& request : requests) {
    if (!request.found)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("opening {}: consolidated metadata names {}, "
                              "which is not there",
                              store.describe(""), request.key),
                  "its owner can consolidate the metadata again");
    listing.document_bytes.emplace(request.key, request.object_bytes);
  }
  return listing;
}

}  // namespace

DocumentsFound find_documents(const Store& store) {
  if (!store.can_list()) return named_documents(store);
  DocumentsFound listing;
  store.list("", [&](std::string_view key, std::int64_t bytes) {
    if (lies_in_own_folder(key)) return;
    if (is_document(key)) {
      if (!raw_json::is_utf8(key))
        throw Error(ErrorKind::kCorrupt,
                    fmt::format("opening {}: its name is not UTF-8",
                                store.describe(key)));
      listing.document_bytes.emplace(key, bytes);
    } else {
      if (listing.other_count++ == 0 || key < listing.example)
        listing.example = key;
    }
  });
  return listing;
}

}  // namespace rechunk

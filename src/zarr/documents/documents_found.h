// Which documents a store has below its root. Internal to zarr/.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "rechunk/store.h"

namespace rechunk {

/// Metadata documents by key, with their sizes, and other files.
struct DocumentsFound {
  std::map<std::string, std::int64_t> document_bytes;
  std::int64_t other_count = 0;
  std::string example;

  bool has(const std::string& key) const {
    return document_bytes.contains(key);
  }
};

/// By a listing. If the store cannot list, by consolidated metadata: only the
/// names are taken from it, documents are read themselves.
/// Throws: corrupt, io.
DocumentsFound find_documents(const Store& store);

}  // namespace rechunk

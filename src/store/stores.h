// The one table of stores: what can be opened by a URL. The command's help,
// errors, the Python package and the suite of store_test.cc take it from here.
// Part: open.cc, which answers rechunk/store.h.
// To add a store, write its file and declare its functions here, with a row.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "rechunk/store.h"
#include "store/file_store.h"
#include "store/file_url.h"

namespace rechunk {

struct StoreRow {
  /// The start of its URLs: "file://"; "" for places without one: paths.
  std::string_view scheme;
  std::string_view name;  ///< For people: "paths", "file://".
  // These get the whole URL, and throw as open_store and remove_unfinished do.
  // They are references, so that a row without them does not compile.
  std::shared_ptr<Store> (&open)(const std::string& url);
  void (&remove_unfinished)(const std::string& url, Writers writers);
};

inline constexpr StoreRow kStores[] = {
    {"", "paths", open_folder, remove_partial_files},
    {kFileScheme, kFileScheme, open_folder, remove_partial_files},
};

}  // namespace rechunk

// The one table of stores: what can be opened by a URL. The command's help,
// errors, the Python package and the suite of store_test.cc take it from here.
// Part: open.cc, which answers rechunk/store.h.
// To add a store, write its file and declare its functions here, with a row.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "rechunk/store.h"
#include "store/file_store.h"
#include "store/file_url.h"
#include "store/gcs_store.h"
#include "store/http_store.h"
#include "store/s3_store.h"

namespace rechunk {

struct StoreRow {
  /// The start of its URLs: "file://"; "" for places without one: paths.
  std::string_view scheme;
  std::string_view name;  ///< For people: "paths", "file://".
  // Gets the whole URL, and throws as open_store does. It is a reference, so
  // that a row without it does not compile.
  std::shared_ptr<Store> (&open)(const std::string& url,
                                 const StorageOptions& options);
  /// What they may be; those that are secrets are marked.
  std::span<const StorageOption> options = {};
};

inline constexpr StoreRow kStores[] = {
    {"", "paths", open_folder},
    {kFileScheme, kFileScheme, open_folder},
    {kS3Scheme, kS3Scheme, open_s3, kS3Options},
    {kGcsScheme, kGcsScheme, open_gcs, kGcsOptions},
    {kHttpScheme, kHttpScheme, open_http, kHttpOptions},
    {kHttpsScheme, kHttpsScheme, open_http, kHttpOptions},
};

}  // namespace rechunk

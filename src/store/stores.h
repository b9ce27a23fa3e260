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
};

/// Names of storage options that are no secrets, in lower case, without
/// "aws_".
inline constexpr std::string_view kPublicStorageOptions[] = {
    "anon",
    "default_region",
    "endpoint",
    "endpoint_url",
    "forbidden_is_missing",
    "profile",
    "region",
    "requester_pays",
    "skip_signature",
    "user_project",
    "virtual_hosted_style_request",
};

inline constexpr StoreRow kStores[] = {
    {"", "paths", open_folder},
    {kFileScheme, kFileScheme, open_folder},
    {kS3Scheme, kS3Scheme, open_s3},
    {kHttpScheme, kHttpScheme, open_http},
    {kHttpsScheme, kHttpsScheme, open_http},
};

}  // namespace rechunk

// A folder of a web server: http://host/folder, https://host/folder. It can
// only be read, and has no listing: groups are found by their consolidated
// metadata. Part: http_service (authorization, redirects).
#pragma once

#include <memory>
#include <string>

#include "rechunk/store.h"
#include "store/http_service.h"

namespace rechunk {

inline constexpr std::string_view kHttpScheme = "http://";
inline constexpr std::string_view kHttpsScheme = "https://";

/// Asks nothing yet. Throws: invalid_argument.
std::shared_ptr<Store> open_http(const std::string& url,
                                 const StorageOptions& options);

}  // namespace rechunk

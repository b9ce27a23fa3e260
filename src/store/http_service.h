// Plain web servers as the HTTP client sees them: who we are, where redirects
// may lead, and what answers mean.
#pragma once

#include <string>
#include <string_view>

#include "http/service.h"
#include "rechunk/store.h"
#include "store/storage_options.h"

namespace rechunk {

struct HttpPlace {
  /// "https://host/data" without "/" at its end, percent-encoded.
  std::string base;
  std::string authorization;  ///< The header's value; "" for none. A secret.
  int requests = 32;          ///< At a time.
  /// Servers that do not list may answer 403 where nothing is.
  bool forbidden_is_missing = false;
};

inline constexpr StorageOption kHttpOptions[] = {
    {{"username"}, true},       {{"password"}, true}, {{"bearer_token"}, true},
    {{"forbidden_is_missing"}}, {{"max_requests"}},
};

/// Throws: invalid_argument (also for user information or a query in the URL,
/// which could be secrets: they are not shown).
HttpPlace parse_http_place(const std::string& url,
                           const StorageOptions& options);

/// Targets are whole URLs. The authorization goes to the host of the place
/// alone. Any thread.
class HttpService final : public http::Service {
 public:
  explicit HttpService(const HttpPlace& place) : place_(place) {}
  http::Request prepare(const http::Transfer& transfer,
                        http::Headers headers) const override;
  http::Verdict judge(http::Transfer& transfer) const override;

 private:
  http::Verdict follow(http::Transfer& transfer) const;

  const HttpPlace place_;
};

}  // namespace rechunk

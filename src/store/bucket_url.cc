#include "store/bucket_url.h"

#include <algorithm>
#include <cctype>

#include "http/url_text.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

[[noreturn]] void refuse(const std::string& place, const std::string& why,
                         const std::string& hint) {
  throw Error(ErrorKind::kInvalidArgument, "opening " + place + ": " + why,
              hint);
}

}  // namespace

BucketUrl split_bucket_url(const std::string& url, std::string_view scheme) {
  std::string_view rest = std::string_view(url).substr(scheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  const std::string bucket(rest.substr(0, slash));
  rest.remove_prefix(slash);
  while (rest.starts_with('/')) rest.remove_prefix(1);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  // User information in a URL could be a secret: it is not shown.
  if (bucket.find('@') != std::string::npos)
    refuse("a URL that starts with " + std::string(scheme),
           "its bucket has an @",
           "credentials belong in the environment or in storage options");
  const bool is_plain =
      std::all_of(bucket.begin(), bucket.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
      });
  if (bucket.empty() || !is_plain)
    refuse(http::shown(url), "that is no bucket",
           "write " + std::string(scheme) + "bucket/prefix");
  return {bucket, std::string(rest)};
}

std::string checked_endpoint(std::string_view endpoint,
                             const std::string& place) {
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  const http::UrlParts parts = http::split_url(endpoint);
  const bool is_sound = (parts.scheme == "http" || parts.scheme == "https") &&
                        !parts.host.empty() && parts.user.empty() &&
                        parts.query.empty();
  if (!is_sound)
    refuse(place, "its endpoint is no URL of a server",
           "write https://host or http://host:port");
  return std::string(endpoint);
}

}  // namespace rechunk

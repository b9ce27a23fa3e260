// URLs of buckets, "scheme://bucket/prefix", and of the servers that have them.
#pragma once

#include <string>
#include <string_view>

namespace rechunk {

struct BucketUrl {
  std::string bucket;
  std::string root;  ///< Without "/" at its ends; "" is the whole bucket.
};

/// Throws: invalid_argument (also for user information in the URL, which could
/// be a secret: it is not shown).
BucketUrl split_bucket_url(const std::string& url, std::string_view scheme);

/// The URL of a server, without "/" at its end. Throws: invalid_argument; the
/// endpoint is not shown.
std::string checked_endpoint(std::string_view endpoint,
                             const std::string& place);

}  // namespace rechunk

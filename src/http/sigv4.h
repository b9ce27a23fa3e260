// Signature version 4 of AWS, which other makers of object stores use, too:
// docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#pragma once

#include <cstddef>
#include <ctime>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/transfer.h"

namespace rechunk::http {

struct AwsKey {
  std::string id, secret;
  std::string session_token;  ///< "" with keys that do not end.

  bool operator==(const AwsKey&) const = default;
};

struct SigV4Scope {
  std::string region;
  std::string service;  ///< "s3", "sts".
};

/// In place of a hash, for bodies that TLS protects. S3 alone takes it.
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

/// 64 hex digits.
std::string sha256_hex(std::span<const std::span<const std::byte>> parts);
std::string sha256_hex(std::string_view text);

/// `headers` and those that make them a signed request: x-amz-date, the hash
/// of the payload (for S3), a session token, Authorization. Signs all of them,
/// and the host. `url` is percent-encoded as it is sent; S3 does not encode it
/// again. Throws: internal (OpenSSL).
Headers sign_sigv4(const AwsKey& key, const SigV4Scope& scope,
                   std::string_view method, std::string_view url,
                   Headers headers, std::string_view payload_hash,
                   std::time_t now);

}  // namespace rechunk::http

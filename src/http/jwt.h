// JSON Web Tokens that are signed with RSA (RFC 7519, RS256): how a service
// account says who it is.
#pragma once

#include <string>
#include <string_view>

namespace rechunk::http {

/// "header.claims.signature". `header` and `claims` are JSON, `key` is a
/// private key as PEM. Throws: invalid_argument (it is no such key; it is not
/// shown).
std::string signed_jwt(std::string_view header, std::string_view claims,
                       std::string_view key);

}  // namespace rechunk::http

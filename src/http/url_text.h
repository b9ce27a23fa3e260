// Texts of URLs, and texts from servers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rechunk::http {

/// Everything but letters, digits and "-._~" as %XX; "/" too, unless it is
/// kept.
std::string percent_encoded(std::string_view text, bool keep_slashes = false);

/// "a%20b" -> "a b". A % without two hex digits is itself.
std::string percent_decoded(std::string_view text);

/// The parts of "scheme://user@host:port/path?query", as they are written.
struct UrlParts {
  std::string_view scheme, user, host, path, query;  ///< host: with its port.
};
UrlParts split_url(std::string_view url);

/// The host as the header Host has it: lower case, without the usual port.
std::string host_header(const UrlParts& parts);

/// Where a redirect leads that `base` answered: absolute, without user and
/// fragment. "" if that is no URL.
std::string resolved_url(const std::string& base, std::string_view location);

/// True if a place is on this machine: "localhost", "127.0.0.1:9000", "[::1]".
bool is_loopback(std::string_view host);

/// What a server says, for people: one line without control characters, cut.
std::string shown(std::string_view text, std::size_t max_bytes = 300);

}  // namespace rechunk::http

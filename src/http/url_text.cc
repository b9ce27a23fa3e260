#include "http/url_text.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace rechunk::http {
namespace {

bool is_plain(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string percent_encoded(std::string_view text, bool keep_slashes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string result;
  for (const unsigned char c : text) {
    if (is_plain(c) || (keep_slashes && c == '/')) {
      result += static_cast<char>(c);
    } else {
      result += '%';
      result += kDigits[c >> 4];
      result += kDigits[c & 15];
    }
  }
  return result;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* const begin = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(begin, begin + 2, byte, 16).ptr == begin + 2) {
      result += static_cast<char>(byte);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

UrlParts split_url(std::string_view url) {
  UrlParts parts;
  if (const auto at = url.find("://"); at != std::string_view::npos) {
    parts.scheme = url.substr(0, at);
    url.remove_prefix(at + 3);
  }
  url = url.substr(0, url.find('#'));
  const auto end = std::min(url.find_first_of("/?"), url.size());
  parts.host = url.substr(0, end);
  if (const auto at = parts.host.rfind('@'); at != std::string_view::npos) {
    parts.user = parts.host.substr(0, at);
    parts.host.remove_prefix(at + 1);
  }
  const std::string_view rest = url.substr(end);
  const auto mark = std::min(rest.find('?'), rest.size());
  parts.path = rest.substr(0, mark);
  if (mark < rest.size()) parts.query = rest.substr(mark + 1);
  return parts;
}

std::string host_header(const UrlParts& parts) {
  std::string host(parts.host);
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32)
                                : static_cast<char>(c);
  });
  const std::string_view usual = parts.scheme == "https" ? ":443" : ":80";
  if (host.ends_with(usual)) host.resize(host.size() - usual.size());
  return host;
}

std::string resolved_url(const std::string& base, std::string_view location) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(
      curl_url(), &curl_url_cleanup);
  const auto set = [&](CURLUPart part, const char* text, unsigned flags) {
    return curl_url_set(url.get(), part, text, flags) == CURLUE_OK;
  };
  char* text = nullptr;
  const bool is_url =
      url && set(CURLUPART_URL, base.c_str(), CURLU_PATH_AS_IS) &&
      set(CURLUPART_URL, std::string(location).c_str(), 0) &&
      set(CURLUPART_USER, nullptr, 0) && set(CURLUPART_PASSWORD, nullptr, 0) &&
      set(CURLUPART_FRAGMENT, nullptr, 0) &&
      curl_url_get(url.get(), CURLUPART_URL, &text, 0) == CURLUE_OK;
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return is_url ? std::string(text) : std::string();
}

bool is_loopback(std::string_view host) {
  if (host == "[::1]" || host.starts_with("[::1]:")) return true;
  host = host.substr(0, host.rfind(':'));
  return host == "localhost" ||
         (host.starts_with("127.") &&
          host.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::string shown(std::string_view text, std::size_t max_bytes) {
  std::string line;
  for (const unsigned char c : text.substr(0, max_bytes)) {
    const bool is_space = c <= ' ' || c == 0x7F;
    if (!is_space) {
      line += static_cast<char>(c);
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (text.size() > max_bytes) {
    // Not in the middle of a character.
    while (!line.empty() && (line.back() & 0x80) != 0) line.pop_back();
    line += "...";
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace rechunk::http

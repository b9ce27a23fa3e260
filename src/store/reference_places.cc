#include "store/reference_places.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <utility>

#include "http/url_text.h"
#include "rechunk/error.h"
#include "rechunk/wording.h"
#include "store/file_store.h"
#include "store/file_url.h"
#include "store/key.h"
#include "store/place.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

/// "https://host:80" of "https://host:80/a/b".
std::string_view authority_of(std::string_view url) {
  const auto begin = url.find("://") + 3;
  return url.substr(0, std::min(url.find('/', begin), url.size()));
}

/// "host" of "https://user@host:80/a/b"; in lower case.
std::string host_of(std::string_view url) {
  std::string_view host = authority_of(url);
  host.remove_prefix(host.find("://") + 3);
  if (const auto at = host.rfind('@'); at != std::string_view::npos)
    host.remove_prefix(at + 1);
  if (host.starts_with('['))
    host = host.substr(1, host.find(']') - 1);
  else
    host = host.substr(0, host.find(':'));
  std::string lower(host);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  while (lower.ends_with('.')) lower.pop_back();
  return lower;
}

// 169.254.0.0/16 in all its spellings: inet_aton takes 0xA9FEA9FE, too.
bool is_link_local_v4(std::uint32_t address) {
  return address >> 16 == (169u << 8 | 254u);
}

bool is_link_local(const std::string& host) {
  in_addr v4{};
  if (inet_aton(host.c_str(), &v4) != 0)
    return is_link_local_v4(ntohl(v4.s_addr));
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    const auto* bytes = v6.s6_addr;
    const auto last = static_cast<std::uint32_t>(bytes[12]) << 24 |
                      static_cast<std::uint32_t>(bytes[13]) << 16 |
                      static_cast<std::uint32_t>(bytes[14]) << 8 | bytes[15];
    const bool is_link = bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80;
    const bool is_private = (bytes[0] & 0xFE) == 0xFC;
    return is_link || is_private || is_link_local_v4(last);
  }
  return host == "metadata" || host == "metadata.google.internal";
}

/// For messages: user information and the query may be secrets.
std::string without_credentials(const std::string& url) {
  if (is_local(url)) return url.substr(0, 1000);
  const std::string path = url.substr(0, url.find('?'));
  const auto begin = path.find("://") + 3;
  const auto end = std::min(path.find('/', begin), path.size());
  const auto at = path.rfind('@', end);
  const bool has_user = at != std::string::npos && at >= begin && at < end;
  return (path.substr(0, begin) + path.substr(has_user ? at + 1 : begin))
      .substr(0, 1000);
}

bool is_web(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

std::string absolute_path(const std::string& path) {
  std::error_code error;
  return fs::absolute(path, error).lexically_normal().string();
}

std::string without_links(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  return error ? path : real.string();
}

/// What stands behind `folder` in `path`, if that lies below it.
std::optional<std::string> key_below(const std::string& path,
                                     const std::string& folder) {
  const std::string start = folder.ends_with('/') ? folder : folder + "/";
  if (!path.starts_with(start)) return std::nullopt;
  std::string key = path.substr(start.size());
  if (!is_key(key)) return std::nullopt;
  return key;
}

std::string folder_of(const std::string& place) {
  const auto slash = place.rfind('/');
  return slash == std::string::npos ? "." : place.substr(0, slash + 1);
}

}  // namespace

ReferencePlaces::ReferencePlaces(const std::string& file,
                                 const std::vector<std::string>& below,
                                 const StorageOptions& options)
    : options_(options) {
  const auto add = [&](std::string place) {
    Root& root = roots_.emplace_back();
    if (is_local(place)) {
      root.path = absolute_path(file_path(place));
      root.real_path = without_links(root.path);
    } else {
      root.url = place.ends_with('/') ? place : place + "/";
    }
  };
  add(folder_of(is_local(file) ? file_path(file) : file));
  for (const std::string& place : below) add(place);
}

ReferencePlaces::Place ReferencePlaces::find(const std::string& url) {
  const bool from_here = roots_[0].url.empty();
  if (is_local(url)) {
    const std::string path = file_path(url);
    const bool is_relative = !path.starts_with('/');
    if (is_relative && !from_here) return find_remote(roots_[0].url + path);
    if (!from_here) refuse(url);
    return find_local(url, is_relative ? roots_[0].path + "/" + path : path);
  }
  return find_remote(url);
}

ReferencePlaces::Place ReferencePlaces::find_local(const std::string& url,
                                                   const std::string& path) {
  for (const fs::path& part : fs::path(path))
    if (part == "..") refuse(url);
  const std::string named = absolute_path(path);
  for (Root& root : roots_)
    if (!root.path.empty())
      if (const auto key = key_below(named, root.path))
        return {open(root), *key};
  const std::string real = without_links(named);
  for (Root& root : roots_)
    if (!root.path.empty())
      if (const auto key = key_below(real, root.real_path))
        return {open(root), *key};
  refuse(url);
}

ReferencePlaces::Place ReferencePlaces::find_remote(const std::string& url) {
  if (is_web(url) && is_link_local(host_of(url)))
    throw Error(ErrorKind::kInvalidArgument,
                "the references name " + without_credentials(url) +
                    ": only this machine's network has such an address");
  for (Root& root : roots_) {
    if (root.url.empty() || !url.starts_with(root.url)) continue;
    const std::string rest = url.substr(root.url.size());
    const std::string key = is_web(url) ? http::percent_decoded(rest) : rest;
    if (is_key(key)) return {open(root), key};
  }
  refuse(url);
}

// Credentials for one host are not for others.
const std::shared_ptr<const Store>& ReferencePlaces::open(Root& root) {
  if (root.store) return root.store;
  if (root.url.empty()) {
    root.store = make_file_store(root.path);
    return root.store;
  }
  const bool is_same = &root == roots_.data() || !is_web(root.url) ||
                       authority_of(root.url) == authority_of(roots_[0].url);
  root.store = open_store(root.url, is_same ? options_ : StorageOptions{});
  return root.store;
}

void ReferencePlaces::refuse(const std::string& url) const {
  const bool may_be_allowed = roots_[0].url.empty() || !is_local(url);
  const std::string named = without_credentials(url);
  throw Error(ErrorKind::kInvalidArgument,
              "the references name " + named +
                  ", which does not lie below their own folder",
              may_be_allowed
                  ? option("references_below",
                           folder_of(is_local(url) ? file_path(url) : named)) +
                        " allows that, if you trust the references"
                  : "references from elsewhere may not name local files");
}

}  // namespace rechunk

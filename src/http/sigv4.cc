#include "http/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "http/url_text.h"
#include "rechunk/error.h"

namespace rechunk::http {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

[[noreturn]] void throw_openssl() {
  throw Error(ErrorKind::kInternal, "signing a request: OpenSSL failed");
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned count = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           bytes.data(), &count) == nullptr)
    throw_openssl();
  return std::string(reinterpret_cast<const char*>(bytes.data()), count);
}

/// 20130524T000000Z
std::string basic_time(std::time_t now) {
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const std::size_t count =
      std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return std::string(text.data(), count);
}

/// Sorted; a member without a value gets "=".
std::string canonical_query(std::string_view query) {
  std::vector<std::string> members;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    std::string member(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
    if (member.find('=') == std::string::npos) member += '=';
    members.push_back(std::move(member));
  }
  // By name, then by value: "=" comes after some letters of names.
  std::sort(members.begin(), members.end(), [](auto& a, auto& b) {
    const auto at = a.find('='), bt = b.find('=');
    const int order = a.compare(0, at, b, 0, bt);
    return order != 0 ? order < 0 : a.compare(at, a.npos, b, bt, b.npos) < 0;
  });
  std::string joined;
  for (const std::string& member : members)
    joined += (joined.empty() ? "" : "&") + member;
  return joined;
}

/// Names in lower case, values without outer blanks and double ones, sorted.
Headers canonical_headers(const Headers& headers, std::string host) {
  Headers result{{"host", std::move(host)}};
  for (const auto& [name, value] : headers) {
    std::string lower = name;
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    result.emplace_back(std::move(lower), shown(value, value.size()));
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

std::string sha256_hex(std::span<const std::span<const std::byte>> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned count = 0;
  bool ok = hash && EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) == 1;
  for (const auto& part : parts)
    ok = ok && EVP_DigestUpdate(hash.get(), part.data(), part.size()) == 1;
  if (!ok || EVP_DigestFinal_ex(hash.get(), bytes.data(), &count) != 1)
    throw_openssl();
  return hex({reinterpret_cast<const char*>(bytes.data()), count});
}

std::string sha256_hex(std::string_view text) {
  const std::span<const std::byte> part =
      std::as_bytes(std::span<const char>(text));
  return sha256_hex({&part, 1});
}

Headers sign_sigv4(const AwsKey& key, const SigV4Scope& scope,
                   std::string_view method, std::string_view url,
                   Headers headers, std::string_view payload_hash,
                   std::time_t now) {
  const std::string time = basic_time(now);
  const std::string day = time.substr(0, 8);
  headers.emplace_back("x-amz-date", time);
  if (scope.service == "s3")
    headers.emplace_back("x-amz-content-sha256", payload_hash);
  if (!key.session_token.empty())
    headers.emplace_back("x-amz-security-token", key.session_token);

  const UrlParts parts = split_url(url);
  std::string lines, names;
  for (const auto& [name, value] :
       canonical_headers(headers, host_header(parts))) {
    lines += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string path(parts.path.empty() ? "/" : parts.path);
  const std::string request = std::string(method) + "\n" + path + "\n" +
                              canonical_query(parts.query) + "\n" + lines +
                              "\n" + names + "\n" + std::string(payload_hash);

  const std::string range =
      day + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const std::string to_sign = std::string(kAlgorithm) + "\n" + time + "\n" +
                              range + "\n" + sha256_hex(request);
  std::string signing_key = "AWS4" + key.secret;
  for (const std::string_view step :
       {std::string_view(day), std::string_view(scope.region),
        std::string_view(scope.service), std::string_view("aws4_request")})
    signing_key = hmac_sha256(signing_key, step);
  headers.emplace_back("Authorization",
                       std::string(kAlgorithm) + " Credential=" + key.id + "/" +
                           range + ", SignedHeaders=" + names + ", Signature=" +
                           hex(hmac_sha256(signing_key, to_sign)));
  return headers;
}

}  // namespace rechunk::http

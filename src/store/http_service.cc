#include "store/http_service.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "http/base64.h"
#include "http/url_text.h"
#include "rechunk/error.h"
#include "store/storage_options.h"

namespace rechunk {
namespace {

constexpr const StorageOption& kUserOption = kHttpOptions[0];
constexpr const StorageOption& kPasswordOption = kHttpOptions[1];
constexpr const StorageOption& kBearerOption = kHttpOptions[2];
constexpr const StorageOption& kForbiddenOption = kHttpOptions[3];
constexpr const StorageOption& kRequestsOption = kHttpOptions[4];

[[noreturn]] void refuse_url(const std::string& place, const std::string& why,
                             const std::string& hint) {
  throw Error(ErrorKind::kInvalidArgument, "opening " + place + ": " + why,
              hint);
}

/// A line end in a header would begin another header.
void check_secret(const std::string& text, const StorageOption& option) {
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
    throw Error(ErrorKind::kInvalidArgument,
                "storage options: " + std::string(option.names[0]) +
                    " has more than one line");
}

std::string authorization_of(const StorageOptions& options) {
  const auto user = value_of(options, kUserOption);
  const auto password = value_of(options, kPasswordOption);
  const auto bearer = value_of(options, kBearerOption);
  if (bearer && (user || password))
    throw Error(ErrorKind::kInvalidArgument,
                "storage options: there are a bearer_token and a username",
                "give one of them");
  if (bearer) {
    check_secret(*bearer, kBearerOption);
    return "Bearer " + *bearer;
  }
  if (!user && !password) return {};
  if (!user || user->find(':') != std::string::npos)
    throw Error(ErrorKind::kInvalidArgument,
                "storage options: the username is missing, or has a colon");
  return "Basic " + http::base64(*user + ":" + password.value_or(""));
}

std::string origin_of(std::string_view url) {
  const http::UrlParts parts = http::split_url(url);
  return std::string(parts.scheme) + "://" + http::host_header(parts);
}

/// Addresses that mean something else to this machine than to a server.
bool is_inside(std::string_view host) {
  return http::is_loopback(host) || host.starts_with("169.254.") ||
         host.starts_with("[fe80:") || host.starts_with("[fd00:ec2:");
}

}  // namespace

HttpPlace parse_http_place(const std::string& url,
                           const StorageOptions& options) {
  const http::UrlParts parts = http::split_url(url);
  const std::string place =
      std::string(parts.scheme) + "://" + http::shown(parts.host);
  if (!parts.user.empty())
    refuse_url(place, "its URL has a user's name or a password",
               "give them as storage options: username and password");
  if (!parts.query.empty())
    refuse_url(place, "its URL has a query", "write the URL without it");
  if (parts.host.empty() || http::shown(parts.host) != parts.host)
    refuse_url(place, "its URL has no host", "write https://host/folder");
  check_names(options, kHttpOptions, place);
  HttpPlace found;
  std::string path = http::percent_decoded(parts.path);
  while (path.ends_with('/')) path.pop_back();
  found.base = std::string(parts.scheme) + "://" + http::host_header(parts) +
               http::percent_encoded(path, true);
  found.authorization = authorization_of(options);
  found.forbidden_is_missing =
      switch_of(options, kForbiddenOption).value_or(false);
  if (const auto count = requests_of(options, kRequestsOption, place))
    found.requests = *count;
  return found;
}

http::Request HttpService::prepare(const http::Transfer& transfer,
                                   http::Headers headers) const {
  headers.emplace_back("Accept-Encoding", "identity");
  if (!place_.authorization.empty() &&
      origin_of(transfer.target) == origin_of(place_.base))
    headers.emplace_back("Authorization", place_.authorization);
  return {transfer.target, std::move(headers)};
}

// Who follows each redirect could be led to addresses inside a network.
http::Verdict HttpService::follow(http::Transfer& transfer) const {
  http::Answer& answer = transfer.answer;
  const std::string next =
      http::resolved_url(transfer.target, answer.header("location"));
  const http::UrlParts from = http::split_url(transfer.target);
  const http::UrlParts to = http::split_url(next);
  const bool is_web = to.scheme == "https" || to.scheme == "http";
  if (!is_web || to.host.empty() ||
      (from.scheme == "https" && to.scheme != "https")) {
    answer.failure = "the server redirects to a place that is not safe: " +
                     std::string(to.scheme) + "://" + http::shown(to.host);
    return http::Verdict::kDone;
  }
  if (is_inside(to.host) && !is_inside(from.host)) {
    answer.failure =
        "the server redirects to an address of this machine or network: " +
        http::shown(to.host);
    return http::Verdict::kDone;
  }
  transfer.target = next;
  return http::Verdict::kAgain;
}

http::Verdict HttpService::judge(http::Transfer& transfer) const {
  constexpr int kOk = 200, kPartial = 206, kMissing = 404, kGone = 410;
  http::Answer& answer = transfer.answer;
  const int status = answer.status;
  if (!answer.failure.empty()) return http::usual_verdict(answer);
  if (status >= 301 && status <= 308 && status != 304 &&
      !answer.header("location").empty())
    return follow(transfer);
  const bool is_good = status == kOk || status == kPartial;
  const std::string_view coding = answer.header("content-encoding");
  if (is_good && !coding.empty() && coding != "identity") {
    answer.failure = "the server sends it as " + http::shown(coding) +
                     ", although it was asked not to";
    return http::Verdict::kDone;
  }
  // Some servers know no HEAD, or do not say the size there.
  const bool is_known = status == kMissing || status == kGone || status >= 500;
  const bool is_answer = is_good ? answer.object_bytes >= 0 : is_known;
  if (transfer.method == "HEAD" && !is_answer) {
    transfer.method = "GET";
    transfer.offset = 0;
    transfer.sinks = {{nullptr, 1}};
    return http::Verdict::kAgain;
  }
  return http::usual_verdict(answer);
}

}  // namespace rechunk

#include "store/gcs_service.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "http/url_text.h"
#include "json/checked_json.h"
#include "store/remote_reads.h"

namespace rechunk {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kPassing[] = {
    "rateLimitExceeded", "userRateLimitExceeded", "backendError"};

Json parse_answer(const http::Answer& answer) {
  try {
    return parse_checked<Json>(answer.text);
  } catch (const std::exception&) {
    return nullptr;
  }
}

std::string text_at(const Json& object, const char* name) {
  const bool is_there = object.is_object() && object.contains(name) &&
                        object.at(name).is_string();
  return is_there ? object.at(name).get<std::string>() : std::string();
}

/// Google decodes such objects on their way: ranges and sizes are then false.
std::string_view stored_coding(const http::Answer& answer) {
  for (const char* name :
       {"content-encoding", "x-goog-stored-content-encoding"}) {
    const std::string_view coding = answer.header(name);
    if (!coding.empty() && coding != "identity") return coding;
  }
  return {};
}

}  // namespace

bool take_gcs_size(http::Answer& answer) {
  const Json object = parse_answer(answer);
  const auto bytes = http::parse_count(text_at(object, "size"));
  const std::string generation = text_at(object, "generation");
  if (!bytes || generation.empty()) return false;
  answer.object_bytes = *bytes;
  answer.headers.emplace_back(kGcsGeneration, generation);
  return true;
}

GcsFailure parse_gcs_failure(const http::Answer& answer) {
  const Json document = parse_answer(answer);
  if (!document.is_object() || !document.contains("error"))
    return {{}, http::shown(answer.text)};
  const Json& error = document.at("error");
  GcsFailure failure{{}, http::shown(text_at(error, "message"))};
  if (error.is_object() && error.contains("errors") &&
      error.at("errors").is_array() && !error.at("errors").empty())
    failure.reason =
        http::shown(text_at(error.at("errors").front(), "reason"), 100);
  return failure;
}

GcsService::GcsService(const GcsPlace& place)
    : place_(place),
      token_([this] { return find_google_token(place_.identity); }) {}

http::Request GcsService::prepare(const http::Transfer& transfer,
                                  http::Headers headers) const {
  std::string url = place_.endpoint + transfer.target;
  if (!place_.user_project.empty())
    url += (url.find('?') == std::string::npos ? "?userProject="
                                               : "&userProject=") +
           http::percent_encoded(place_.user_project);
  // Public objects may come from caches, an hour old.
  if (transfer.method == "GET")
    headers.emplace_back("Cache-Control", "no-cache");
  const bool has_type = std::any_of(
      headers.begin(), headers.end(),
      [](const auto& header) { return header.first == "Content-Type"; });
  if (transfer.method == "POST" && !has_type)
    headers.emplace_back("Content-Type", "application/octet-stream");
  if (!place_.is_anonymous)
    headers.emplace_back("Authorization", "Bearer " + token_.current());
  return {std::move(url), std::move(headers)};
}

http::Verdict GcsService::judge(http::Transfer& transfer) const {
  constexpr int kWhoAreYou = 401, kMayNot = 403;
  http::Answer& answer = transfer.answer;
  const int status = answer.status;
  if (!answer.failure.empty()) return http::usual_verdict(answer);
  if (status / 100 == 2) {
    const std::string_view coding = stored_coding(answer);
    // A page to sign in at answers 200 to everything, and keeps nothing.
    if (transfer.target.ends_with(kGcsSizeFields) && !take_gcs_size(answer))
      answer.failure = "the server answers, but not as Google's store does";
    else if (transfer.offset && is_web_page(answer) &&
             answer.header(kGcsGeneration).empty())
      answer.failure = "the server sent a web page, not an object";
    else if (transfer.offset && !coding.empty())
      answer.failure =
          "it is stored with Content-Encoding: " + http::shown(coding) +
          ", so its size is not known";
    return http::Verdict::kDone;
  }
  if (status == kWhoAreYou && !place_.is_anonymous)
    return token_.renew() ? http::Verdict::kAgain : http::Verdict::kDone;
  const std::string reason =
      status == kMayNot ? parse_gcs_failure(answer).reason : std::string();
  if (std::find(std::begin(kPassing), std::end(kPassing), reason) !=
      std::end(kPassing))
    return http::Verdict::kLater;
  return http::usual_verdict(answer);
}

}  // namespace rechunk

#include "store/s3_bucket.h"

#include <algorithm>
#include <vector>

#include "http/url_text.h"

namespace rechunk {
namespace {

constexpr int kExists = 412;

http::Settings settings_of(const S3Place& place) {
  return {.requests = place.requests, .ca_bundle = place.ca_bundle};
}

bool succeeded(const http::Answer& answer) {
  return answer.failure.empty() && answer.status >= 200 && answer.status < 300;
}

}  // namespace

S3Bucket::S3Bucket(const S3Place& place)
    : place_(place),
      client_(settings_of(place), std::make_shared<S3Service>(place)) {}

std::string S3Bucket::target(std::string_view key,
                             std::string_view query) const {
  std::string text = "/" + http::percent_encoded(key, true);
  if (!query.empty()) text += "?" + std::string(query);
  return text;
}

std::string S3Bucket::describe(std::string_view key) const {
  return std::string(kS3Scheme) + place_.bucket +
         (key.empty() ? "" : "/" + std::string(key));
}

void S3Bucket::run(http::Transfer& transfer, std::string_view action,
                   std::string_view key, int allowed_status) {
  client_.run(transfer);
  check(transfer, action, key, allowed_status);
}

void S3Bucket::check(const http::Transfer& transfer, std::string_view action,
                     std::string_view key, int allowed_status) const {
  const bool is_allowed = transfer.answer.status == allowed_status &&
                          transfer.answer.failure.empty();
  if (!succeeded(transfer.answer) && !is_allowed)
    throw error(action, key, transfer.answer);
}

bool S3Bucket::create(std::string_view key, std::span<const std::byte> bytes) {
  const auto put = [&] {
    http::Transfer transfer{.method = "PUT",
                            .target = target(key),
                            .headers = {{"If-None-Match", "*"}},
                            .body = {bytes},
                            .needs_new_connection = true};
    run(transfer, "creating", key, kExists);
    return transfer;
  };
  const http::Transfer first = put();
  if (first.answer.status == kExists)
    // An attempt before may have written it, and only its answer was lost.
    return first.answer.attempts > 1 && holds(key, bytes);
  if (!has_conditions_) {
    // A server that ignores the condition would let two runs take one lock.
    if (put().answer.status != kExists) refuse_conditions(key);
    has_conditions_ = true;
  }
  return true;
}

void S3Bucket::refuse_conditions(std::string_view key) {
  http::Transfer transfer{.method = "DELETE", .target = target(key)};
  client_.run(transfer);
  throw Error(ErrorKind::kUnsupported,
              "creating " + describe(key) +
                  ": the server ignores If-None-Match, so two processes could "
                  "take the same lock",
              "use a server that obeys it, or write elsewhere");
}

bool S3Bucket::holds(std::string_view key, std::span<const std::byte> bytes) {
  std::vector<std::byte> found(bytes.size() + 1);
  http::Transfer transfer{.target = target(key),
                          .offset = 0,
                          .sinks = {{found.data(), found.size()}}};
  run(transfer, "reading", key, kNotThere);  // Its owner may have erased it.
  return transfer.answer.status != kNotThere &&
         transfer.answer.bytes == static_cast<std::int64_t>(bytes.size()) &&
         std::equal(bytes.begin(), bytes.end(), found.begin());
}

}  // namespace rechunk

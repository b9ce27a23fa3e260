#include "store/bucket.h"

#include <algorithm>

namespace rechunk {
namespace {

bool succeeded(const http::Answer& answer) {
  return answer.failure.empty() && answer.status >= 200 && answer.status < 300;
}

}  // namespace

void Bucket::run(http::Transfer& transfer, std::string_view action,
                 std::string_view key, int allowed_status) {
  client_.run(transfer);
  check(transfer, action, key, allowed_status);
}

void Bucket::check(const http::Transfer& transfer, std::string_view action,
                   std::string_view key, int allowed_status) const {
  const bool is_allowed = transfer.answer.status == allowed_status &&
                          transfer.answer.failure.empty();
  if (!succeeded(transfer.answer) && !is_allowed)
    throw error(action, key, transfer.answer);
}

bool Bucket::create(std::string_view key, std::span<const std::byte> bytes) {
  const auto put_if_free = [&] {
    http::Transfer transfer = put(key, {bytes}, true);
    transfer.needs_new_connection = true;
    run(transfer, "creating", key, kTaken);
    return transfer;
  };
  const http::Transfer first = put_if_free();
  if (first.answer.status == kTaken)
    // An attempt before may have written it, and only its answer was lost.
    return first.answer.attempts > 1 && holds(key, bytes);
  if (!has_conditions_) {
    // A server that ignores the condition would let two runs take one lock.
    if (put_if_free().answer.status != kTaken) refuse_conditions(key);
    has_conditions_ = true;
  }
  return true;
}

void Bucket::refuse_conditions(std::string_view key) {
  http::Transfer transfer = removal(key);
  client_.run(transfer);
  throw Error(ErrorKind::kUnsupported,
              "creating " + describe(key) +
                  ": the server ignores If-None-Match, so two processes could "
                  "take the same lock",
              "use a server that obeys it, or write elsewhere");
}

bool Bucket::holds(std::string_view key, std::span<const std::byte> bytes) {
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

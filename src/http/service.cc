#include "http/service.h"

#include <utility>

namespace rechunk::http {

Verdict usual_verdict(const Answer& answer) {
  constexpr int kTimeout = 408, kTooMany = 429;
  constexpr int kNotImplemented = 501, kVersion = 505;
  const int status = answer.status;
  if (!answer.failure.empty())
    return answer.is_passing ? Verdict::kLater : Verdict::kDone;
  const bool is_passing =
      status == kTimeout || status == kTooMany ||
      (status >= 500 && status != kNotImplemented && status != kVersion);
  return is_passing ? Verdict::kLater : Verdict::kDone;
}

Request PlainService::prepare(const Transfer& transfer, Headers headers) const {
  if (!authorization_.empty())
    headers.emplace_back("Authorization", authorization_);
  return {transfer.target, std::move(headers)};
}

}  // namespace rechunk::http

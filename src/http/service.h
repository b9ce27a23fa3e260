// What one kind of server adds to HTTP: it signs each attempt of a transfer,
// and knows what an answer means. A plug-in of `Client`. Part: service.cc.
#pragma once

#include <string>

#include "http/transfer.h"

namespace rechunk::http {

/// What is sent in one attempt.
struct Request {
  std::string url;
  Headers headers;
};

enum class Verdict {
  kDone,   ///< The answer is for whoever asked.
  kAgain,  ///< Ask again now: credentials or places were renewed.
  kLater,  ///< Ask again after a pause: the server is busy.
};

/// What answers mean where a service says nothing else: 408, 429 and 5xx pass,
/// and so do transfers that broke off.
Verdict usual_verdict(const Answer& answer);

/// Called on the threads of those who start transfers; never on the thread that
/// moves the bytes. Any thread.
class Service {
 public:
  virtual ~Service() = default;
  /// The URL and the headers of one attempt, its authorization included.
  /// `headers` are those of the transfer, and Range.
  virtual Request prepare(const Transfer& transfer, Headers headers) const = 0;
  virtual Verdict judge(Transfer& transfer) const {
    return usual_verdict(transfer.answer);
  }
};

/// Targets are whole URLs. `authorization` is the header's value; "" for none.
class PlainService final : public Service {
 public:
  explicit PlainService(std::string authorization = {})
      : authorization_(std::move(authorization)) {}
  Request prepare(const Transfer& transfer, Headers headers) const override;

 private:
  const std::string authorization_;
};

}  // namespace rechunk::http

// Reading many ranges of objects that an HTTP server keeps: what S3, Google's
// store and plain servers have in common.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "http/client.h"
#include "rechunk/error.h"
#include "rechunk/store.h"

namespace rechunk {

/// How a server names its objects, and what its answers about them say.
class RemoteObjects {
 public:
  virtual ~RemoteObjects() = default;
  /// The target of a transfer that reads an object. Throws: invalid_argument.
  virtual std::string target(std::string_view key) const = 0;
  /// A request for the size of an object; `judge` puts it into the answer.
  virtual http::Transfer size_question(std::string_view key) const {
    return {.method = "HEAD", .target = target(key)};
  }
  virtual bool is_absent(const http::Answer& answer) const {
    return answer.status == 404;
  }
  /// The size of an object that ends before a range (416); -1 if the answer
  /// does not say it.
  virtual std::int64_t size_beside_range(const http::Answer& answer) const {
    return answer.object_bytes;
  }
  /// The error of a transfer that failed.
  virtual Error error(std::string_view action, std::string_view key,
                      const http::Answer& answer) const = 0;
};

/// As `Store::read_many`. Ranges of an object that are near each other are read
/// by one request, also if they are few bytes apart; requests without a
/// destination by HEAD.
void read_remote(http::Client& client, const RemoteObjects& objects,
                 std::span<ReadRequest> requests, const OnRead& on_done);

/// A number that changes when an object is replaced: of its ETag, or of its
/// time; 0 if the answer has neither.
std::int64_t version_of(const http::Answer& answer);

/// True for HTML: whoever answers is no object store.
bool is_web_page(const http::Answer& answer);

/// Why a transfer failed, in words: no answer, or a status without any.
std::string cause_of(const http::Answer& answer);

}  // namespace rechunk

// One request to an HTTP server, and its answer: values, which `Batch`
// (client.h) carries out. Part: transfer.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rechunk::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A place for bytes that come. Without `data` they are passed over.
struct Sink {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
};

struct Answer {
  int status = 0;          ///< 0: there was no answer; `failure` says why.
  Headers headers;         ///< Names in lower case.
  std::int64_t bytes = 0;  ///< In the sinks of the transfer.
  /// Size of the whole object, if the server says it; else -1.
  std::int64_t object_bytes = -1;
  std::string text;             ///< The body, if it did not go into the sinks.
  std::string failure;          ///< Why no answer came, or not all of it.
  bool is_passing = false;      ///< The failure may pass.
  bool is_unreachable = false;  ///< Nobody answered at that address.
  bool is_mute = false;         ///< The connection ended without a word.
  int attempts =
      0;  ///< More than 1: an attempt before this one may have acted.

  /// The value of a header, by its name in lower case; "" without it.
  std::string_view header(std::string_view name) const;
};

/// Whoever starts a transfer keeps it, and the memory that it names, until it
/// is done. It may be sent more than once: repeating it must do no harm.
struct Transfer {
  std::string method = "GET";
  /// What the `Service` makes a URL of; percent-encoded.
  std::string target;
  Headers headers;
  std::vector<std::span<const std::byte>> body;

  /// If set, a range of the object is asked for, and goes into `sinks`, not
  /// into `answer.text`: as many bytes as they hold, from the first byte, or
  /// the last ones (negative).
  std::optional<std::int64_t> offset;
  std::vector<Sink> sinks;

  /// libcurl itself sends a request again if a connection that was open before
  /// ends without an answer. On a new one it does not: then
  /// `answer.attempts` counts all that may have acted.
  bool needs_new_connection = false;

  /// The longest text of a good answer. Texts of errors are cut.
  std::size_t max_text = 64 << 10;

  std::size_t number = 0;  ///< For whoever started it.
  Answer answer;

  // What the batch knows about its attempts.
  std::chrono::steady_clock::time_point since{};
  int renewals = 0;

  std::int64_t body_bytes() const;
  std::int64_t sink_bytes() const;
};

/// The value of the header Range for a transfer with an offset.
std::string range_header(const Transfer& transfer);

/// "bytes 5-9/100" or "bytes */100": `first` is -1 without a range, `total` -1
/// if the server does not say it.
struct ContentRange {
  std::int64_t first = -1, last = -1, total = -1;
};
std::optional<ContentRange> parse_content_range(std::string_view text);

/// A number without sign; nothing if the text is anything else.
std::optional<std::int64_t> parse_count(std::string_view text);

}  // namespace rechunk::http

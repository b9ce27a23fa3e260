// What goes wrong on purpose: rules, and the answers that the proxy makes up.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "http_message.h"

enum class FaultKind {
  kResetRequest,  // The request reaches the server only in part.
  kResetAnswer,   // The answer reaches the client only in part: a reset.
  kShortAnswer,   // As before, but the connection is closed in order.
  kLostAnswer,    // The server does it, and the client never hears of it.
  kStall,         // Nothing moves for some seconds.
  kSlowDown,      // From here the proxy answers instead of the server.
  kTooMany,
  kInternal,
  kExpired,
  kErrorInside,  // 200 with an error in its body, as S3 may answer to the
                 // end of a multipart upload.
  kHtml,
  kRedirect,
};

/// One kind of fault, and which requests it hits.
struct Rule {
  FaultKind kind = FaultKind::kInternal;
  double probability = 1;
  std::string method;       // "": any.
  std::string match;        // A part of the target.
  std::string field;        // The request has it.
  std::int64_t skip = 0;    // So many of these requests pass first.
  std::int64_t times = -1;  // Most faults; -1: no limit.
  int burst = 1;            // Faults in a row, once one was drawn.
  int retry_after = -1;     // Seconds that an answer asks for.
  double seconds = 0;       // Of a stall.
  std::string to;           // The URL of a redirect.

  bool concerns(const Head& request) const;
};

/// Reads "slow_down p=0.1 burst=4 retry_after=1": a kind, then members.
/// Throws: std::invalid_argument.
Rule parse_rule(const std::string& text);

std::string_view fault_name(FaultKind kind);

/// What happens to one request.
struct Fault {
  Rule rule;
  double position = 0;  // Of the first byte that is lost: 0 first, 1 last.
};

/// All rules. Any thread may use it.
class Faults {
 public:
  void seed(std::uint64_t seed);
  void add(Rule rule);
  void clear();
  /// The first rule that hits this request, if there is one.
  std::optional<Fault> draw(const Head& request);

 private:
  struct Used {
    Rule rule;
    std::int64_t seen = 0, faults = 0;
    int of_burst = 0;  // What is left of it.
  };

  std::mutex mutex_;
  std::mt19937_64 random_;
  std::vector<Used> rules_;
};

/// The answer that the proxy gives instead of the server; nothing for the
/// faults of connections. `with_body` is false for HEAD requests.
std::optional<std::string> made_answer(const Rule& rule, bool with_body);

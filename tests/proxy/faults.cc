#include "faults.h"

#include <array>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace {

struct KindRow {
  FaultKind kind;
  std::string_view name;
  int status = 0;  // 0: the proxy makes no answer.
  std::string_view reason = {}, code = {};
};

constexpr std::array kKinds = {
    KindRow{FaultKind::kResetRequest, "reset_request"},
    KindRow{FaultKind::kResetAnswer, "reset_answer"},
    KindRow{FaultKind::kShortAnswer, "short_answer"},
    KindRow{FaultKind::kLostAnswer, "lost_answer"},
    KindRow{FaultKind::kStall, "stall"},
    KindRow{FaultKind::kSlowDown, "slow_down", 503, "Slow Down", "SlowDown"},
    KindRow{FaultKind::kTooMany, "too_many", 429, "Too Many Requests",
            "TooManyRequests"},
    KindRow{FaultKind::kInternal, "internal", 500, "Internal Server Error",
            "InternalError"},
    KindRow{FaultKind::kExpired, "expired", 400, "Bad Request", "ExpiredToken"},
    KindRow{FaultKind::kErrorInside, "error_inside", 200, "OK",
            "InternalError"},
    KindRow{FaultKind::kHtml, "html", 502, "Bad Gateway"},
    KindRow{FaultKind::kRedirect, "redirect", 307, "Temporary Redirect",
            "TemporaryRedirect"},
};

const KindRow& row_of(FaultKind kind) {
  for (const auto& row : kKinds) {
    if (row.kind == kind) return row;
  }
  throw std::invalid_argument("a kind without a row");
}

void set_member(Rule& rule, const std::string& name, const std::string& value) {
  if (name == "p") {
    rule.probability = std::stod(value);
  } else if (name == "method") {
    rule.method = value;
  } else if (name == "match") {
    rule.match = value;
  } else if (name == "field") {
    rule.field = value;
  } else if (name == "skip") {
    rule.skip = std::stoll(value);
  } else if (name == "times") {
    rule.times = std::stoll(value);
  } else if (name == "burst") {
    rule.burst = std::stoi(value);
  } else if (name == "retry_after") {
    rule.retry_after = std::stoi(value);
  } else if (name == "seconds") {
    rule.seconds = std::stod(value);
  } else if (name == "to") {
    rule.to = value;
  } else {
    throw std::invalid_argument("a fault has no " + name);
  }
}

std::string body_of(const KindRow& row) {
  std::ostringstream body;
  if (row.kind == FaultKind::kHtml) {
    body << "<html><head><title>Bad Gateway</title></head><body><h1>Bad "
            "Gateway</h1></body></html>\n";
  } else {
    body << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>"
         << row.code << "</Code><Message>The fault proxy says so.</Message>"
         << "<RequestId>0</RequestId></Error>";
  }
  return body.str();
}

}  // namespace

bool Rule::concerns(const Head& request) const {
  const auto target = request.word(1);
  if (kind == FaultKind::kErrorInside &&
      (request.word(0) != "POST" ||
       target.find("uploadId=") == std::string_view::npos)) {
    return false;
  }
  return (method.empty() || request.word(0) == method) &&
         target.find(match) != std::string_view::npos &&
         (field.empty() || !request.field(field).empty());
}

Rule parse_rule(const std::string& text) {
  std::istringstream words(text);
  std::string name, member;
  words >> name;
  Rule rule;
  bool is_known = false;
  for (const auto& row : kKinds) {
    if (row.name != name) continue;
    rule.kind = row.kind;
    is_known = true;
  }
  if (!is_known) throw std::invalid_argument("no fault is called " + name);
  while (words >> member) {
    const auto equals = member.find('=');
    if (equals == std::string::npos) {
      throw std::invalid_argument("not NAME=VALUE: " + member);
    }
    set_member(rule, member.substr(0, equals), member.substr(equals + 1));
  }
  return rule;
}

std::string_view fault_name(FaultKind kind) { return row_of(kind).name; }

void Faults::seed(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  random_.seed(seed);
}

void Faults::add(Rule rule) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({std::move(rule)});
}

void Faults::clear() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
}

std::optional<Fault> Faults::draw(const Head& request) {
  const std::lock_guard lock(mutex_);
  std::uniform_real_distribution<double> share(0, 1);
  for (auto& used : rules_) {
    if (!used.rule.concerns(request)) continue;
    if (used.seen++ < used.rule.skip) continue;
    if (used.rule.times >= 0 && used.faults >= used.rule.times) continue;
    if (used.of_burst == 0) {
      if (share(random_) >= used.rule.probability) continue;
      used.of_burst = used.rule.burst;
    }
    --used.of_burst;
    ++used.faults;
    return Fault{used.rule, share(random_)};
  }
  return std::nullopt;
}

std::optional<std::string> made_answer(const Rule& rule, bool with_body) {
  const auto& row = row_of(rule.kind);
  if (row.status == 0) return std::nullopt;
  const auto body = body_of(row);
  std::ostringstream answer;
  answer << "HTTP/1.1 " << row.status << ' ' << row.reason << "\r\n"
         << "Content-Type: "
         << (rule.kind == FaultKind::kHtml ? "text/html" : "application/xml")
         << "\r\nContent-Length: " << body.size() << "\r\n";
  if (rule.retry_after >= 0) {
    answer << "Retry-After: " << rule.retry_after << "\r\n";
  }
  if (!rule.to.empty()) answer << "Location: " << rule.to << "\r\n";
  answer << "\r\n";
  if (with_body) answer << body;
  return answer.str();
}

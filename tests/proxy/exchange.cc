#include "exchange.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace {

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
// Where in a body of unknown length a fault may hit.
constexpr std::int64_t kUnknownBytes = 4096;
constexpr std::size_t kPieceBytes = 64 << 10;

void wait(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

bool closes(const Head& head) { return head.field("connection") == "close"; }

/// Sends through a link, and stops after so many bytes.
class Sender {
 public:
  Sender(Connection& to, Link& link, std::int64_t most = kAll)
      : to_(to), link_(link), most_(most) {}

  /// False once all that may pass has passed.
  bool send(std::string_view bytes) {
    while (!bytes.empty() && sent_ < most_) {
      const auto piece = bytes.substr(
          0, std::min(kPieceBytes, static_cast<std::size_t>(most_ - sent_)));
      link_.pass(piece.size());
      to_.send(piece);
      sent_ += static_cast<std::int64_t>(piece.size());
      bytes.remove_prefix(piece.size());
    }
    return sent_ < most_;
  }
  std::int64_t sent() const { return sent_; }

 private:
  Connection& to_;
  Link& link_;
  const std::int64_t most_;
  std::int64_t sent_ = 0;
};

/// Bytes of a message that pass before a fault: each byte may be the first one
/// that is lost.
std::int64_t passing(const Fault& fault, std::size_t head_bytes,
                     const Framing& framing) {
  const auto body =
      framing.kind == Framing::Kind::kLength ? framing.bytes : kUnknownBytes;
  const auto all = static_cast<double>(head_bytes) + static_cast<double>(body);
  return static_cast<std::int64_t>(std::floor(fault.position * all));
}

/// One request of a client and its answer.
class Exchange {
 public:
  Exchange(Connection& client, std::optional<Connection>& server,
           const Head& request, Proxy& proxy)
      : client_(client),
        server_(server),
        request_(request),
        proxy_(proxy),
        record_(proxy.counts, request),
        fault_(proxy.faults.draw(request)) {
    if (fault_) record_.passed.fault = fault_name(fault_->rule.kind);
  }

  /// False if the connection of the client must be closed.
  bool run();

 private:
  bool is(FaultKind kind) const { return fault_ && fault_->rule.kind == kind; }
  bool is_head() const { return request_.word(0) == "HEAD"; }
  /// Whether the client waits to be told before it sends its body.
  bool expects() const { return !request_.field("expect").empty(); }
  void answer_instead(const std::string& answer);
  bool send_request();
  Head receive_head();
  bool send_answer(const Head& answer);

  Connection& client_;
  std::optional<Connection>& server_;
  const Head& request_;
  Proxy& proxy_;
  InFlight record_;
  const std::optional<Fault> fault_;
};

bool Exchange::run() {
  wait(proxy_.network.latency_seconds);
  if (is(FaultKind::kStall)) wait(fault_->rule.seconds);
  if (fault_) {
    if (const auto made = made_answer(fault_->rule, !is_head())) {
      answer_instead(*made);
      return !closes(request_) && !expects();
    }
  }
  if (!send_request()) {
    client_.abort();
    server_.reset();
    return false;
  }
  const Head answer = receive_head();
  const bool goes_on = send_answer(answer);
  if (closes(answer)) server_.reset();
  return goes_on && !closes(answer) && !closes(request_);
}

/// The body of the request is read first: a client that still sends would see
/// a reset instead of the answer. One that waits to be told does not send it.
void Exchange::answer_instead(const std::string& answer) {
  if (!expects()) {
    Body body(client_, request_framing(request_));
    for (auto some = body.next(); !some.empty(); some = body.next()) {
      record_.passed.request_bytes += static_cast<std::int64_t>(some.size());
      proxy_.network.to_server.pass(some.size());
    }
  }
  client_.send(answer);
  record_.passed.status = Head(answer).status();
}

/// False if a fault cut it short. The proxy itself tells the client to go on
/// with its body, so that the server must not.
bool Exchange::send_request() {
  const auto framing = request_framing(request_);
  const auto head = request_.text_without("expect");
  const auto most = is(FaultKind::kResetRequest)
                        ? passing(*fault_, head.size(), framing)
                        : kAll;
  if (!server_ || !server_->is_quiet()) {
    server_ = Connection::to_port(proxy_.server_port);
  }
  Sender sender(*server_, proxy_.network.to_server, most);
  if (!sender.send(head)) return false;
  if (expects()) client_.send("HTTP/1.1 100 Continue\r\n\r\n");
  Body body(client_, framing);
  bool server_takes_it = true;
  for (auto some = body.next(); !some.empty(); some = body.next()) {
    record_.passed.request_bytes += static_cast<std::int64_t>(some.size());
    if (!server_takes_it) continue;
    try {
      if (!sender.send(some)) return false;
    } catch (const Broken&) {
      server_takes_it = false;  // It refuses, and its answer may be there.
    }
  }
  return true;
}

Head Exchange::receive_head() {
  while (true) {
    auto text = server_->read_head();
    if (!text) throw Broken("the server closed without an answer");
    Head answer(*std::move(text));
    if (answer.status() >= 200) return answer;
  }
}

bool Exchange::send_answer(const Head& answer) {
  const auto framing = answer_framing(answer, is_head());
  const bool is_lost = is(FaultKind::kLostAnswer);
  const bool is_short = is(FaultKind::kShortAnswer);
  auto most = kAll;
  if (is_lost) most = 0;
  if (is_short || is(FaultKind::kResetAnswer)) {
    most = passing(*fault_, answer.text().size(), framing);
  }
  Sender sender(client_, proxy_.network.to_client, most);
  bool passes = sender.send(answer.text());
  if (!is_lost) record_.passed.status = answer.status();
  Body body(*server_, framing);
  for (auto some = body.next(); !some.empty(); some = body.next()) {
    if (passes) passes = sender.send(some);
    if (!passes && !is_lost) break;
  }
  const auto head_bytes = static_cast<std::int64_t>(answer.text().size());
  record_.passed.answer_bytes =
      std::max<std::int64_t>(0, sender.sent() - head_bytes);
  if (most != kAll) server_.reset();
  if (is(FaultKind::kResetAnswer)) client_.abort();
  return most == kAll && framing.kind != Framing::Kind::kUntilClose;
}

}  // namespace

void serve(Connection client, Proxy& proxy) {
  proxy.counts.connected();
  std::optional<Connection> server;
  try {
    while (auto text = client.read_head()) {
      const Head request(*std::move(text));
      if (!Exchange(client, server, request, proxy).run()) return;
    }
  } catch (const Broken&) {
    // The other side sees it, too: both connections are closed.
  }
}

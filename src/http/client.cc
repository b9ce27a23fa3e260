#include "http/client.h"

#include <unistd.h>

#include <optional>
#include <utility>

#include "http/wire.h"

namespace rechunk::http {

Client::Client(Settings settings, std::shared_ptr<const Service> service)
    : settings_(std::move(settings)), service_(std::move(service)) {}

Client::~Client() {
  // The thread of a wire does not live on in a forked process, and the
  // connections belong to the other one: the memory is all that can be lost.
  if (wire_ && wire_process_ != getpid())
    static_cast<void>(new std::shared_ptr<Wire>(std::move(wire_)));
}

std::shared_ptr<Wire> Client::wire() {
  const std::lock_guard lock(mutex_);
  if (wire_ && wire_process_ != getpid())
    static_cast<void>(new std::shared_ptr<Wire>(std::move(wire_)));
  if (!wire_) {
    wire_ = std::make_shared<Wire>(settings_);
    wire_process_ = getpid();
  }
  return wire_;
}

void Client::run(Transfer& transfer) {
  Batch batch(*this);
  batch.start(transfer);
  batch.next();
}

Batch::Batch(Client& client) : client_(client), wire_(client.wire()) {}

Batch::~Batch() {
  if (in_flight_ > 0) wire_->take_back(inbox_);
}

void Batch::start(Transfer& transfer) {
  transfer.renewals = 0;
  transfer.answer.attempts = 0;
  queue_.push_back(&transfer);
  send_what_is_due();
}

Transfer* Batch::next() {
  for (;;) {
    send_what_is_due();
    if (in_flight_ == 0 && paused_.empty()) return nullptr;
    std::optional<Clock::time_point> until;
    if (!paused_.empty()) until = paused_.begin()->first;
    Transfer* const transfer = inbox_.take_until(until);
    if (transfer == nullptr) continue;
    --in_flight_;
    if (!goes_again(*transfer)) return transfer;
  }
}

void Batch::send_what_is_due() {
  while (!paused_.empty() && paused_.begin()->first <= Clock::now()) {
    queue_.push_front(paused_.begin()->second);
    paused_.erase(paused_.begin());
  }
  // A signature does not hold forever, and each attempt takes memory.
  while (!queue_.empty() && in_flight_ < client_.settings().requests) {
    Transfer& transfer = *queue_.front();
    queue_.pop_front();
    send(transfer);
  }
}

void Batch::send(Transfer& transfer) {
  Headers headers = transfer.headers;
  if (transfer.offset) headers.emplace_back("Range", range_header(transfer));
  const Request request =
      client_.service().prepare(transfer, std::move(headers));
  // Its time begins now: it may have waited for its turn for long.
  if (transfer.answer.attempts == 0) transfer.since = Clock::now();
  wire_->send(transfer, request, inbox_);
  ++in_flight_;
}

bool Batch::goes_again(Transfer& transfer) {
  constexpr int kMostRenewals = 3;
  Answer& answer = transfer.answer;
  ++answer.attempts;
  // Who never said a word may be a server that speaks TLS, or none of HTTP.
  if (answer.status > 0) client_.was_answered_ = true;
  if (answer.is_mute && !client_.was_answered_) answer.is_unreachable = true;
  const Clock::time_point now = Clock::now();
  switch (client_.service().judge(transfer)) {
    case Verdict::kDone:
      return false;
    case Verdict::kAgain:
      if (++transfer.renewals > kMostRenewals) return false;
      queue_.push_back(&transfer);
      return true;
    case Verdict::kLater:
      break;
  }
  const auto pause =
      pause_before_retry(transfer, client_.settings().retry_time, now);
  if (pause) paused_.emplace(now + *pause, &transfer);
  return pause.has_value();
}

}  // namespace rechunk::http

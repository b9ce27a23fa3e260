#include "http/wire.h"

#include <algorithm>
#include <utility>

#include "rechunk/error.h"

namespace rechunk::http {
namespace {

CURLM* new_multi(const Settings& settings) {
  // Once per process, before any handle.
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* const multi = ready == CURLE_OK ? curl_multi_init() : nullptr;
  if (multi == nullptr)
    throw Error(ErrorKind::kIo, "starting libcurl: no memory");
  curl_multi_setopt(multi, CURLMOPT_PIPELINING,
                    static_cast<long>(CURLPIPE_NOTHING));
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                    static_cast<long>(settings.requests));
  return multi;
}

}  // namespace

Wire::Wire(const Settings& settings)
    : settings_(settings),
      multi_(new_multi(settings)),
      pace_(settings.requests),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

Wire::~Wire() {
  thread_.request_stop();
  curl_multi_wakeup(multi_);
  thread_.join();
  curl_multi_cleanup(multi_);
}

void Wire::send(Transfer& transfer, const Request& request, Inbox& inbox) {
  Sent sent{std::make_unique<Attempt>(transfer, request, settings_), &inbox};
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(sent));
  }
  curl_multi_wakeup(multi_);
}

void Wire::take_back(Inbox& inbox) {
  std::unique_lock lock(mutex_);
  unwanted_.push_back(&inbox);
  curl_multi_wakeup(multi_);
  stopped_.wait(lock, [&] {
    return std::find(unwanted_.begin(), unwanted_.end(), &inbox) ==
           unwanted_.end();
  });
}

void Wire::work(const std::stop_token& stop) {
  constexpr int kLongestWaitMs = 1000;
  while (!stop.stop_requested()) {
    stop_unwanted();
    start_waiting();
    int running = 0;
    curl_multi_perform(multi_, &running);
    collect_finished();
    // A wake-up before the wait ends it at once.
    curl_multi_poll(multi_, nullptr, 0, kLongestWaitMs, nullptr);
  }
}

void Wire::stop_unwanted() {
  const std::lock_guard lock(mutex_);
  if (unwanted_.empty()) return;
  const auto is_unwanted = [&](const Sent& sent) {
    return std::find(unwanted_.begin(), unwanted_.end(), sent.inbox) !=
           unwanted_.end();
  };
  std::erase_if(waiting_, is_unwanted);
  std::erase_if(in_flight_, [&](const auto& entry) {
    if (!is_unwanted(entry.second)) return false;
    curl_multi_remove_handle(multi_, entry.first);
    return true;
  });
  unwanted_.clear();
  stopped_.notify_all();
}

void Wire::start_waiting() {
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty() &&
         static_cast<int>(in_flight_.size()) < pace_.requests()) {
    Sent sent = std::move(waiting_.front());
    waiting_.pop_front();
    CURL* const easy = sent.attempt->handle();
    in_flight_.emplace(easy, std::move(sent));
    if (curl_multi_add_handle(multi_, easy) != CURLM_OK)
      end(easy, CURLE_OUT_OF_MEMORY);
  }
}

void Wire::collect_finished() {
  int left = 0;
  bool any = false;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;  // Gone with the handle.
    curl_multi_remove_handle(multi_, easy);
    end(easy, code);
    any = true;
  }
  if (any) curl_multi_wakeup(multi_);  // Others wait for their turn.
}

void Wire::end(CURL* easy, CURLcode code) {
  constexpr int kTooMany = 429, kBusy = 503;
  const auto found = in_flight_.find(easy);
  Inbox& inbox = *found->second.inbox;
  Transfer& transfer = found->second.attempt->transfer();
  found->second.attempt->finish(code);
  const int status = transfer.answer.status;
  if (status == kTooMany || status == kBusy) {
    pace_.was_throttled(Clock::now());
  } else {
    pace_.went_well();
  }
  in_flight_.erase(found);  // Before the transfer belongs to its batch again.
  inbox.put(transfer);
}

}  // namespace rechunk::http

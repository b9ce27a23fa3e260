// The thread that moves the bytes of a client's transfers: one libcurl multi
// handle with many connections, which stay open between transfers.
#pragma once

#include <curl/curl.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "http/attempt.h"
#include "http/inbox.h"
#include "http/pace.h"
#include "http/settings.h"

namespace rechunk::http {

/// All methods may be called from any thread.
class Wire {
 public:
  explicit Wire(const Settings& settings);
  ~Wire();  ///< Nothing may be in flight any more.
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// Throws: io.
  void send(Transfer& transfer, const Request& request, Inbox& inbox);
  /// Stops what is in flight for an inbox. After that nothing arrives there,
  /// and nobody touches its transfers and their memory.
  void take_back(Inbox& inbox);

 private:
  struct Sent {
    std::unique_ptr<Attempt> attempt;
    Inbox* inbox;
  };

  void work(const std::stop_token& stop);
  void stop_unwanted();
  void start_waiting();
  void collect_finished();
  void end(CURL* easy, CURLcode code);

  const Settings settings_;
  CURLM* const multi_;
  Pace pace_;                        ///< Of the thread.
  std::map<CURL*, Sent> in_flight_;  ///< Of the thread.

  std::mutex mutex_;
  std::condition_variable stopped_;
  std::deque<Sent> waiting_;
  std::vector<Inbox*> unwanted_;
  std::jthread thread_;  ///< The last member: it uses all others.
};

}  // namespace rechunk::http

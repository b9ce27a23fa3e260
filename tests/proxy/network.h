// The network that lies between client and server: how long, and how narrow.
//
// All connections share it. Any thread may use it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>

/// One direction of a slow link.
class Link {
 public:
  /// 0: no limit.
  void set_bytes_per_second(double rate) { rate_ = rate; }
  /// Returns when so many bytes have passed.
  void pass(std::size_t bytes);

 private:
  std::atomic<double> rate_ = 0;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point free_;  // When all before has passed.
};

struct Network {
  std::atomic<double> latency_seconds = 0;  // Of each request.
  Link to_server, to_client;
};

// What passed through the proxy: totals, and one line per request.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "http_message.h"

/// One request and what became of it.
struct Passed {
  std::string method, target, range;
  bool is_signed = false;  // It showed who the client is.
  std::string fault;       // "": none.
  int status = 0;          // 0: no answer was sent.
  std::int64_t request_bytes = 0, answer_bytes = 0;  // Of the bodies.
  double seconds = 0;
};

/// Any thread may use it.
class Counts {
 public:
  void connected();
  void begun();
  void ended(Passed passed);
  /// Forgets all but the requests that are in flight.
  void clear();
  /// JSON objects on one line.
  std::string totals() const;
  std::string log() const;

 private:
  struct Totals {
    std::int64_t connections = 0, request_bytes = 0, answer_bytes = 0;
    int most_in_flight = 0;
    std::map<std::string, std::int64_t> requests, statuses, faults;
  };

  mutable std::mutex mutex_;
  int in_flight_ = 0;
  Totals totals_;
  std::vector<Passed> log_;
};

/// Counts a request from its first byte until it is destroyed.
class InFlight {
 public:
  InFlight(Counts& counts, const Head& request);
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight();

  Passed passed;

 private:
  Counts& counts_;
  std::chrono::steady_clock::time_point start_;
};

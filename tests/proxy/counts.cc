#include "counts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

void Counts::connected() {
  const std::lock_guard lock(mutex_);
  ++totals_.connections;
}

void Counts::begun() {
  const std::lock_guard lock(mutex_);
  totals_.most_in_flight = std::max(totals_.most_in_flight, ++in_flight_);
}

void Counts::ended(Passed passed) {
  const std::lock_guard lock(mutex_);
  --in_flight_;
  ++totals_.requests[passed.method];
  ++totals_.statuses[std::to_string(passed.status)];
  if (!passed.fault.empty()) ++totals_.faults[passed.fault];
  totals_.request_bytes += passed.request_bytes;
  totals_.answer_bytes += passed.answer_bytes;
  log_.push_back(std::move(passed));
}

void Counts::clear() {
  const std::lock_guard lock(mutex_);
  totals_ = {};
  totals_.most_in_flight = in_flight_;
  log_.clear();
}

std::string Counts::totals() const {
  const std::lock_guard lock(mutex_);
  const nlohmann::json json = {{"connections", totals_.connections},
                               {"requests", totals_.requests},
                               {"statuses", totals_.statuses},
                               {"faults", totals_.faults},
                               {"request_bytes", totals_.request_bytes},
                               {"answer_bytes", totals_.answer_bytes},
                               {"in_flight", in_flight_},
                               {"most_in_flight", totals_.most_in_flight}};
  return json.dump();
}

std::string Counts::log() const {
  const std::lock_guard lock(mutex_);
  auto json = nlohmann::json::array();
  for (const auto& passed : log_) {
    json.push_back({{"method", passed.method},
                    {"target", passed.target},
                    {"range", passed.range},
                    {"signed", passed.is_signed},
                    {"fault", passed.fault},
                    {"status", passed.status},
                    {"request_bytes", passed.request_bytes},
                    {"answer_bytes", passed.answer_bytes},
                    {"seconds", passed.seconds}});
  }
  return nlohmann::json{{"requests", json}}.dump();
}

InFlight::InFlight(Counts& counts, const Head& request)
    : passed{std::string(request.word(0)), std::string(request.word(1)),
             std::string(request.field("range")),
             !request.field("authorization").empty()},
      counts_(counts),
      start_(std::chrono::steady_clock::now()) {
  counts_.begun();
}

InFlight::~InFlight() {
  const auto now = std::chrono::steady_clock::now();
  passed.seconds = std::chrono::duration<double>(now - start_).count();
  counts_.ended(std::move(passed));
}

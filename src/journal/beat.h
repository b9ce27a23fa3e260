// Signs of life, and the processes that locks name, as JSON. Internal to
// journal/.
#pragma once

#include <nlohmann/json.hpp>

#include "journal/process.h"

namespace rechunk {

inline nlohmann::json json_of(const Process& process) {
  return {{"host", process.host}, {"user", process.user},
          {"boot", process.boot}, {"pid_space", process.pid_space},
          {"pid", process.pid},   {"start", process.start}};
}

/// Throws: nlohmann::json::exception.
inline Process process_from(const nlohmann::json& json) {
  return {json.at("host"),      json.at("user"), json.at("boot"),
          json.at("pid_space"), json.at("pid"),  json.at("start")};
}

/// A process said that it was at work.
struct Beat {
  Process process;
  double boot_seconds = 0;
  std::int64_t unix_time = 0;
};

inline nlohmann::json beat_json() {
  return {{"process", json_of(this_process())},
          {"boot_seconds", seconds_since_boot()},
          {"time", unix_seconds()}};
}

inline Beat parse_beat(const nlohmann::json& json) {
  return {process_from(json.at("process")), json.at("boot_seconds"),
          json.at("time")};
}

}  // namespace rechunk

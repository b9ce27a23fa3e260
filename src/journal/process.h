// Which process this is, and whether another is still there. Linux.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace rechunk {

/// Tells processes apart, on all machines and at all times.
struct Process {
  std::string host, user;
  std::string boot;       ///< Of the machine since it was started.
  std::string pid_space;  ///< Containers count their processes on their own.
  std::int64_t pid = 0;
  std::int64_t start = 0;  ///< In ticks since the boot: pids are used again.
  friend bool operator==(const Process&, const Process&) = default;
};

const Process& this_process();

/// Nothing where it cannot be told from here. A process that was killed and not
/// yet waited for is not there.
std::optional<bool> is_there(const Process& process);

/// Seconds that the machine has run, suspended or not; no clock that is set
/// changes it.
double seconds_since_boot();

/// Seconds since 1970, as the machine believes.
std::int64_t unix_seconds();

}  // namespace rechunk

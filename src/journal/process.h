// Identifies this process, and checks if another one still lives. Linux.
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

/// Nothing if this machine cannot know it. A process that was killed and not
/// yet waited for counts as dead.
std::optional<bool> is_there(const Process& process);

/// Seconds since the machine was started, also while suspended. Setting the
/// clock does not change them.
double seconds_since_boot();

/// Seconds since 1970, as the machine believes.
std::int64_t unix_seconds();

}  // namespace rechunk

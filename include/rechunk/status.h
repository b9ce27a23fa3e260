// How far the run of a target is. Parts: src/rechunk.cc, src/job/run_status.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rechunk/observer.h"
#include "rechunk/store.h"

namespace rechunk {

/// The progress of a target's run.
struct Status {
  enum class State {
    kAbsent,    ///< Neither a target nor a run.
    kComplete,  ///< A finished target, made by rechunk or not.
    kRunning,
    kStopped,  ///< Unfinished: `Job::unfinished` resumes it.
  };
  struct Array {
    std::string name;
    std::vector<std::int64_t> tasks_done, tasks;  ///< By stage.
  };
  State state = State::kAbsent;
  Progress progress;  ///< Without seconds.
  std::vector<Array> arrays;
  /// Who works on it, or was the last who did. Empty if not known.
  std::string host, user;
  std::int64_t pid = 0;
  std::int64_t since = 0;  ///< Seconds since 1970.
};
std::string_view to_string(Status::State state);
std::string to_json(const Status& status);

/// Cleans up at a target after a process was killed while it began or ended a
/// run. True if the target is complete. False if a run is unfinished, or
/// nothing is there.
bool tidy_up(const std::string& target, const StorageOptions& storage = {});

/// Throws: corrupt, io.
Status status(const std::string& target, const StorageOptions& storage = {});

}  // namespace rechunk

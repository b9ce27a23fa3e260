// Which tasks of a plan are done. A resumed run skips them.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "rechunk/plan.h"

namespace rechunk {

/// Ranges of tasks by array and stage. Not thread-safe during changes.
class DoneTasks {
 public:
  /// Tasks may be done already.
  void add(const TaskRange& tasks);

  /// The first task from `task` on that is not done.
  std::int64_t next_undone(int array, int stage, std::int64_t task) const;

  /// The parts of a range that are not done, in order.
  std::vector<TaskRange> undone(const TaskRange& tasks) const;

  /// How many tasks of a stage are done.
  std::int64_t count(int array, int stage) const;

 private:
  /// Of one stage: first -> stop, neither overlapping nor touching.
  using Ranges = std::map<std::int64_t, std::int64_t>;

  std::map<std::pair<int, int>, Ranges> stages_;
};

}  // namespace rechunk

// Which tasks of a plan are done. A resumed run skips them.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace rechunk {

/// Ranges of tasks by array and stage. Not thread-safe during changes.
class DoneTasks {
 public:
  /// Tasks [first, stop).
  using Range = std::pair<std::int64_t, std::int64_t>;

  /// Ranges may overlap what is done already.
  void add(int array, int stage, Range tasks);

  /// The first task from `task` on that is not done.
  std::int64_t next_undone(int array, int stage, std::int64_t task) const;

  /// The parts of a range that are not done, in order.
  std::vector<Range> undone(int array, int stage, Range tasks) const;

  /// How many tasks of a stage are done.
  std::int64_t count(int array, int stage) const;

 private:
  /// Of one stage: first -> stop, neither overlapping nor touching.
  using Ranges = std::map<std::int64_t, std::int64_t>;

  std::map<std::pair<int, int>, Ranges> stages_;
};

}  // namespace rechunk

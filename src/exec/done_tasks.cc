#include "exec/done_tasks.h"

#include <algorithm>
#include <iterator>

namespace rechunk {

void DoneTasks::add(const TaskRange& tasks) {
  auto [array, stage, first, stop] = tasks;
  if (first >= stop) return;
  Ranges& ranges = stages_[{array, stage}];
  // Records may overlap, because a task may have run twice.
  auto next = ranges.upper_bound(first);
  if (next != ranges.begin() && std::prev(next)->second >= first)
    first = (--next)->first;
  while (next != ranges.end() && next->first <= stop) {
    stop = std::max(stop, next->second);
    next = ranges.erase(next);
  }
  ranges.emplace(first, stop);
}

std::int64_t DoneTasks::next_undone(int array, int stage,
                                    std::int64_t task) const {
  const auto ranges = stages_.find({array, stage});
  if (ranges == stages_.end()) return task;
  const auto next = ranges->second.upper_bound(task);
  if (next == ranges->second.begin()) return task;
  return std::max(task, std::prev(next)->second);
}

std::vector<TaskRange> DoneTasks::undone(const TaskRange& tasks) const {
  std::vector<TaskRange> gaps;
  const auto [array, stage, begin, end] = tasks;
  const auto found = stages_.find({array, stage});
  static const Ranges kNone;
  const Ranges& ranges = found == stages_.end() ? kNone : found->second;
  for (std::int64_t first = next_undone(array, stage, begin); first < end;) {
    const auto next = ranges.upper_bound(first);
    const std::int64_t stop =
        next == ranges.end() ? end : std::min(end, next->first);
    gaps.push_back({array, stage, first, stop});
    first = next_undone(array, stage, stop);
  }
  return gaps;
}

std::int64_t DoneTasks::count(int array, int stage) const {
  const auto ranges = stages_.find({array, stage});
  if (ranges == stages_.end()) return 0;
  std::int64_t tasks = 0;
  for (const auto& [first, stop] : ranges->second) tasks += stop - first;
  return tasks;
}

}  // namespace rechunk

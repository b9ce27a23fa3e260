#include "exec/done_tasks.h"

#include <algorithm>
#include <iterator>

namespace rechunk {

void DoneTasks::add(int array, int stage, Range tasks) {
  auto [first, stop] = tasks;
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

std::vector<DoneTasks::Range> DoneTasks::undone(int array, int stage,
                                                Range tasks) const {
  std::vector<Range> gaps;
  const auto found = stages_.find({array, stage});
  static const Ranges kNone;
  const Ranges& ranges = found == stages_.end() ? kNone : found->second;
  for (std::int64_t first = next_undone(array, stage, tasks.first);
       first < tasks.second;) {
    const auto next = ranges.upper_bound(first);
    const std::int64_t stop = next == ranges.end()
                                  ? tasks.second
                                  : std::min(tasks.second, next->first);
    gaps.emplace_back(first, stop);
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

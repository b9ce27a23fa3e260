#include "job/known_records.h"

#include <algorithm>

namespace rechunk {
KnownRecords::KnownRecords(const Journal& journal, const Plan& plan,
                           Journal::RunName run)
    : run_(std::move(run)) {
  for (const std::string& key : journal.record_keys()) {
    const auto parsed = Journal::parse_key(key);
    if (!parsed) continue;
    if (!parsed->has_more)
      add(parsed->first, key);
    else if (const auto record = journal.read(plan, run_.run, key))
      for (const BatchRecord& one : record->batches) add(one.tasks, key);
  }
}

void KnownRecords::add(const std::vector<BatchRecord>& record) {
  if (record.empty()) return;
  const std::string key = Journal::key_of(record);
  for (const BatchRecord& one : record) add(one.tasks, key);
}

void KnownRecords::add(const TaskRange& tasks, const std::string& key) {
  if (tasks.count() <= 0) return;
  tasks_.add(tasks);
  keys_.emplace_back(tasks, key);
}

std::vector<std::string> KnownRecords::keys_of(
    std::span<const TaskRange> batches) const {
  std::vector<std::string> keys;
  for (const TaskRange& batch : batches) {
    if (tasks_.undone(batch) == std::vector{batch}) continue;
    for (const auto& [known, key] : keys_)
      if (overlap(known, batch)) keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

}  // namespace rechunk

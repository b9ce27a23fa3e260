// What a process knows of the journal of a run without asking again.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exec/done_tasks.h"
#include "journal/journal.h"
#include "rechunk/plan.h"

namespace rechunk {

/// Which records may hold which tasks: those that were there when it was made,
/// and those of this process. Not for several threads at a time.
class KnownRecords {
 public:
  /// Lists the records, and reads those whose keys do not tell all of their
  /// batches. Throws: io.
  KnownRecords(const Journal& journal, const Plan& plan, Journal::RunName run);

  const Journal::RunName& run() const { return run_; }

  /// One that this process has written.
  void add(const std::vector<BatchRecord>& record);

  /// The keys of records that may hold any tasks of the batches.
  std::vector<std::string> keys_of(std::span<const TaskRange> batches) const;

 private:
  void add(const TaskRange& tasks, const std::string& key);

  const Journal::RunName run_;
  DoneTasks tasks_;  ///< Of all records: most batches have none.
  std::vector<std::pair<TaskRange, std::string>> keys_;
};

}  // namespace rechunk

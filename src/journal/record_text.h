// The text of a record of the journal: JSON, and below it a hash of that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exec/task_runner.h"
#include "rechunk/plan.h"

namespace rechunk {

/// True if both have a task.
bool overlap(const TaskRange& a, const TaskRange& b);

/// The sum of what the tasks of a batch did.
struct BatchRecord {
  TaskRange tasks;
  TaskResult result;
  bool known = true;  ///< False: their report is not known.
};

/// `run`: its name stands in the record.
std::string format_record(const std::string& run,
                          const std::vector<BatchRecord>& batches);

/// Nothing if the text is damaged, or belongs to another run.
std::optional<std::vector<BatchRecord>> parse_record(std::string_view text,
                                                     const std::string& run);

/// True if the plan has these tasks.
bool is_within(const TaskRange& tasks, const Plan& plan);

}  // namespace rechunk

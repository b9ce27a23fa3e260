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

/// Tasks [first, stop) of one stage.
struct Batch {
  int array = 0;
  int stage = 0;
  std::int64_t first = 0, stop = 0;
  friend auto operator<=>(const Batch&, const Batch&) = default;
};

/// True if both have a task.
bool overlap(const Batch& a, const Batch& b);

/// The sum of what the tasks of a batch did.
struct BatchRecord {
  Batch batch;
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
bool is_within(const Batch& batch, const Plan& plan);

}  // namespace rechunk

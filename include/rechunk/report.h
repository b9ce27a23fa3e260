// What a run did. Part: src/job/report_json.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rechunk/notes.h"
#include "rechunk/observer.h"
#include "rechunk/plan.h"
#include "rechunk/wording.h"

namespace rechunk {

/// The work of a run on one array, by stage as in the plan. All processes of
/// the run count, also those before it was resumed.
struct ArrayReport {
  std::vector<StageReport> stages;
  std::string digest;  ///< 32 hex digits, if the run has verified.
  /// By stage, the tasks that were done before the run was resumed. Empty if it
  /// was not resumed.
  std::vector<std::int64_t> found_tasks;
};
/// Files that are not Zarr, beside arrays and groups.
struct Files {
  std::int64_t copied = 0;
  std::int64_t bytes = 0;
};
struct Report {
  std::vector<ArrayReport> arrays;  ///< In the plan's order.
  Notes notes;                      ///< Found by the run, without the plan's.
  Files files;
  double seconds = 0;
  std::int64_t max_rss = 0;  ///< Peak resident bytes of the process.
};

/// The plan's JSON with the counts of each stage, all notes, `files`,
/// `seconds` and `max_rss`. The keys are a contract (README).
std::string to_json(const Plan& plan, const Report& report,
                    const Speller& speller = {});
std::string to_json(const StageReport& report);

}  // namespace rechunk

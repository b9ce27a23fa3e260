// Measures what a job's codecs and disks cost on this machine and this data.
// Without it the planner uses estimates.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "plan/planner.h"
#include "rechunk/store.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// What a job reads and writes, and may take.
struct Calibration {
  const std::shared_ptr<Store>& source_store;
  const Hierarchy& source;
  const Hierarchy& target;
  std::vector<std::string> left_out;  ///< Arrays that lie in no store.
  /// URLs; "" where they are no paths.
  std::string source_place, target_place, temp_place;
  MemoryBudget& budget;
  int threads = 1;
};

/// For each array that is more than a small part of the job: decodes a few
/// chunks, encodes their elements with the target's codecs, and checks how many
/// chunks are missing. Writes and reads files without names where temporary
/// data will lie, and nowhere else. All this runs on the job's threads, as far
/// as its memory allows. The results go into the problems' traits. It takes
/// some tenths of a second, or some seconds if the page cache may not hold the
/// job, and at most the job's memory. What cannot be
/// measured (damaged or missing chunks, codecs behind a network, places that
/// are not paths) stays an estimate.
void calibrate(const Calibration& job, std::vector<ArrayProblem>& problems);

}  // namespace rechunk

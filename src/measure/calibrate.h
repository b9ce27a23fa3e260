// Measures what a job's codecs and disks cost on this machine and this data,
// where the planner would else take estimates.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plan/planner.h"
#include "rechunk/store.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// What a job reads and writes, and may take.
struct Calibration {
  const std::shared_ptr<Store>& source_store;
  const Hierarchy& source;
  const Hierarchy& target;
  std::vector<std::string> left_out;     ///< Arrays that lie in no store.
  std::string target_place, temp_place;  ///< URLs; "" where they are no paths.
  std::int64_t max_memory = 0;
  int threads = 1;
};

/// Decodes a few chunks of each array that is more than a small part of the
/// job, encodes their elements as the target's, looks for some more to learn
/// how many are missing, writes and reads nameless files where the job will,
/// all on as many threads as the job has and its memory allows, and puts what
/// it finds into the problems' traits. Takes some tenths of a second, and no
/// more than the job's memory. What cannot be measured (damaged or missing
/// chunks, places that are no paths) stays as it was estimated.
void calibrate(const Calibration& job, std::vector<ArrayProblem>& problems);

}  // namespace rechunk

#include "rechunk/plan.h"

namespace rechunk {

Progress work_of(const Plan& plan) {
  Progress total;
  for (const StagedCopySpec& array : plan.arrays) {
    for (const CopySpec& stage : array.stages) {
      total.tasks_total = checked_add(total.tasks_total, stage.tasks);
      for (const std::int64_t bytes :
           {stage.bytes_decoded, stage.bytes_encoded})
        total.bytes_total = checked_add(total.bytes_total, bytes);
    }
  }
  return total;
}

}  // namespace rechunk

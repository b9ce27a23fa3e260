// The time that a plan should take. This model ranks plans and predicts run
// times. Pure. DESIGN.md, "What a plan costs".
#pragma once

#include "plan/planner.h"
#include "rechunk/plan.h"

namespace rechunk {

/// One stage, in nanoseconds of one thread.
struct StageCost {
  double read = 0;   ///< Requests, bytes, decoding.
  double copy = 0;   ///< Moving elements in memory.
  double write = 0;  ///< Encoding, objects, bytes.

  double total() const { return read + copy + write; }
};

/// Reading the source in blocks. Each block reads everything that it needs.
double source_read_cost(const ArrayProblem& array, const Shape& block);

/// How an intermediate is stored.
struct Packing {
  bool coded = false;    ///< Through the light codec, if that is faster.
  bool on_disk = false;  ///< The page cache does not hold it.
};

/// True if the page cache is too small for what the job reads and writes beside
/// its intermediates: it then remembers nothing long enough.
bool is_beyond_cache(const ArrayProblem& array);

/// True if intermediates of such components are too large for the page cache.
bool reaches_disk(const ArrayProblem& array, const Shape& component);

/// Writing all objects of an intermediate, and reading it in blocks of a later
/// stage.
double packed_write_cost(const ArrayProblem& array, const Shape& task,
                         const Packing& packing);
double packed_read_cost(const ArrayProblem& array, const Shape& task,
                        const Shape& block, const Packing& packing);

/// The bytes of a whole intermediate on the disk, if it reaches it.
double packed_disk_bytes(const ArrayProblem& array, const Packing& packing);

/// Encoding and writing the whole target.
double target_write_cost(const ArrayProblem& array);

/// Moving every element once, from the order of one grid to that of another.
double copy_cost(const ArrayProblem& array, const Shape& from, const Shape& to);

/// The time for memory, if each thread holds that many bytes: pages that are
/// touched first, and data that does not fit into caches.
double memory_cost(std::int64_t task_bytes, int threads);

/// Stage `index` of a finished plan.
StageCost stage_cost(const ArrayProblem& array, const StagedCopySpec& plan,
                     std::size_t index);

/// Wall-clock nanoseconds that disks need for the bytes of a stage.
struct DiskTime {
  double read = 0, write = 0;
};
/// Nothing for what the page cache holds.
DiskTime disk_time(const ArrayProblem& array, const StagedCopySpec& plan,
                   std::size_t index);

/// How many tasks of that many bytes run at a time.
int tasks_at_once(std::int64_t task_bytes, const PlanOptions& options);

/// Wall-clock nanoseconds of all stages, one after the other, each with as many
/// tasks at a time as fit. Threads, reading and writing disks go on at the same
/// time, so the slowest of them counts.
double predicted_nanoseconds(const ArrayProblem& array,
                             const StagedCopySpec& plan,
                             const PlanOptions& options);

}  // namespace rechunk

// Makes plans: splits a rechunk into stages whose every task fits the budget.
//
// Pure: no I/O, no threads, no clock. Equal inputs give equal plans on every
// machine. The mathematics, with worked examples, is in DESIGN.md.
// Parts: planner.cc; validate.cc, which proves a plan without planner.cc;
// window.cc.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "plan/coefficients.h"
#include "plan/cuts.h"
#include "rechunk/plan.h"
#include "rechunk/shape.h"

namespace rechunk {

/// What the planner must know of one side's chunks.
struct ChunkTraits {
  Shape objects;  ///< What one key holds: chunks, or shards.
  Shape chunks;   ///< What is encoded as one: inner chunks, or `objects`.
  /// Target: what is appended to a shard at a time; the chunks, or the outer
  /// boxes of nested shards. Source: the chunks.
  Shape units;
  /// Memory beside the elements while one unit is read or written: encoded
  /// bytes, buffers between codecs, a decoded chunk to copy from, codec heap.
  std::int64_t unit_scratch_bytes = 0;
  /// For each object that is open at a time: the index of a shard.
  std::int64_t object_scratch_bytes = 0;
  /// Estimated cost of the codecs, nanoseconds per decoded byte and thread.
  double codec_ns_per_byte = 0;
  double stored_ratio = 1;  ///< Stored bytes per decoded byte; an estimate.
  /// Source: parts of a chunk can be read alone, since it has no codecs.
  bool in_parts = false;
  /// Source: the part of unit_scratch_bytes that may use the memory of the
  /// elements, if a task reads only one object.
  std::int64_t spare_bytes = 0;
  std::vector<int> axis_order;  ///< Of elements in a chunk; empty: C order.
  /// Memory of each chunk in flight, if there are several; 0: they are not read
  /// or written that way.
  std::int64_t request_bytes = 0;
  int window = 1;  ///< Chunks of a task in flight: with_window.
  MediumTraits medium;
};

/// One array to be rechunked.
struct ArrayProblem {
  std::string name;
  std::string dtype;
  Shape shape;
  std::int64_t item_bytes = 1;
  ChunkTraits source, target;
  /// Elements that are read from the target and written again. The source's
  /// elements follow them. The source's traits are used for reading both.
  Kept kept;
  bool kept_in_parts = false;  ///< As `in_parts`, of the target.
  MediumTraits temp;           ///< Where intermediates lie.
  int temp_window = 1;         ///< Ranges of intermediates in flight.
  /// Stored bytes per byte of coded intermediates; an estimate.
  double light_stored_ratio = kLightStoredRatio;
  /// What the page cache can hold, and what the whole job reads from disks and
  /// writes to them beside its intermediates.
  std::int64_t cache_bytes = std::numeric_limits<std::int64_t>::max();
  double disk_bytes = 0;
  bool calibrated = false;     ///< Costs were measured on the array's chunks.
  double missing_share = 0;    ///< Of its source chunks; these cost no bytes.
  bool same_encoding = false;  ///< Encoded objects may be moved untouched.
  /// Encoded inner chunks may be moved; at least one side has shards. Of the
  /// traits only objects, chunks and object_scratch_bytes count then.
  bool same_chunk_encoding = false;
  /// Memory that the run needs for this array outside its tasks, one array at a
  /// time: 0, or the memory for verifying.
  std::int64_t other_bytes = 0;
};

struct PlanOptions {
  std::int64_t max_memory = 0;  ///< Payload bytes of the process.
  int threads = 1;              ///< At most; a plan may use fewer.
};

/// The problem of a task that has up to `window` requests in flight at each of
/// its places, as far as these serve more than one: they share the latency, and
/// each has a buffer.
ArrayProblem with_window(ArrayProblem array, int window);

/// What moving encoded objects holds at a time, per thread.
inline constexpr std::int64_t kPassthroughBufferBytes = 1 << 20;

/// Tasks are joined as long as each thread still has so many: for progress,
/// checkpoints and stop requests, and so that all threads end at about the same
/// time.
inline constexpr std::int64_t kTasksPerThread = 8;

/// Plans all arrays of a run, with one number of threads for all.
/// Throws: budget_exceeded (the message names the smallest budget for which
/// there is a plan), invalid_argument (ranks differ, sizes overflow).
Plan make_plan(const std::vector<ArrayProblem>& arrays,
               const PlanOptions& options);

/// The most bytes that a task of any stage holds.
std::int64_t largest_task_bytes(const Plan& plan);

/// The most bytes that the tasks at one time hold: on every thread the largest
/// task, but at most the budget.
std::int64_t peak_memory(const Plan& plan);

/// How many components of a staged array may be in progress at a time: two if a
/// component has so few tasks that threads would wait for its stages.
int components_in_progress(const StagedCopySpec& array, int threads);

/// Checks what must hold of every plan: the tasks of each stage cover the array
/// exactly once, no object is shared by two tasks, tasks do not cross
/// components, and each task has what it needs within the budget.
/// Throws: internal (says which array, stage and axis breaks it).
void validate(const Plan& plan, const std::vector<ArrayProblem>& arrays);

}  // namespace rechunk

// The plan of a run: a frozen value. It says which tasks copy what, how much
// memory they need and what they will cost. `Job` (rechunk.h) or the pure
// planner (src/plan/planner.h) makes it. It can be printed as JSON
// (src/plan/plan_json.cc), and summed up (src/plan/work_of.cc).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rechunk/notes.h"
#include "rechunk/observer.h"
#include "rechunk/shape.h"

namespace rechunk {

/// One stage: copy `source` to `target` in tasks of shape `chunks`.
///
/// Tasks are the cells of Grid(shape, chunks). A task owns whole objects of
/// its target. It holds one block of shape `block` at a time: the whole
/// task, or a part of a shard that is written in several parts.
struct CopySpec {
  std::string source;  ///< "source" or "intermediate-1", ...
  std::string target;  ///< "intermediate-1", ... or "target".
  Shape chunks;        ///< Shape of one task, before clipping.
  Shape block;         ///< Divides `chunks`, or equals it.
  /// If the target is an intermediate: its objects may be coded, and tasks
  /// reserve memory for that.
  bool coded = false;

  // Predicted for a dense array. A run counts the same numbers.
  std::int64_t tasks = 0;
  std::int64_t max_task_bytes = 0;  ///< Memory that one task reserves.
  std::int64_t objects_read = 0;    ///< (task, object) pairs.
  std::int64_t bytes_decoded = 0;   ///< Uncompressed bytes, repeats included.
  std::int64_t objects_written = 0;
  std::int64_t bytes_encoded = 0;  ///< Uncompressed bytes, padding included.
};

enum class Method { kPassthrough, kDirect, kStaged };
std::string_view to_string(Method method);

/// What the prediction for an array assumes: estimates, or measurements of a
/// few of its chunks. Nanoseconds per decoded byte and thread.
struct CopyCosts {
  bool calibrated = false;
  double decode_ns_per_byte = 0, encode_ns_per_byte = 0;
  /// Stored bytes per decoded byte.
  double source_stored_ratio = 1, target_stored_ratio = 1;
  double write_ns_per_byte = 0;  ///< Per stored byte, at the target's place.
  double missing_share = 0;      ///< Of the source's chunks.
  /// Of a disk that intermediates reach because the page cache does not hold
  /// them; wall-clock, per stored byte. 0: it holds them.
  double temp_disk_ns_per_byte = 0;
};

/// All stages of one array. The target of each is the source of the next.
struct StagedCopySpec {
  std::string name;  ///< Path of the array; "" for a root array.
  Shape shape;
  std::string dtype;
  std::int64_t item_bytes = 0;
  Shape source_chunks, target_chunks;  ///< Inner chunks of shards.
  Shape source_shards, target_shards;  ///< Empty: not sharded.
  Method method = Method::kDirect;
  /// Shape of boxes that never exchange data. Stages run box by box, and
  /// intermediates are erased after their box. On each axis a multiple of every
  /// stage's `chunks`, or the array's length.
  Shape component;
  std::vector<CopySpec> stages;
  /// Requests of one task in flight at each place that serves several at a
  /// time, as an object store does. Each has a buffer in `max_task_bytes`.
  int window = 1;
  double predicted_seconds = 0;  ///< With the plan's number of threads.
  CopyCosts costs;
  std::vector<std::string> reasons;  ///< Why this plan; a line each.
};

/// Tasks [first, stop) of one stage of a plan.
struct TaskRange {
  int array = 0;  ///< Index into Plan::arrays.
  int stage = 0;  ///< Index into StagedCopySpec::stages.
  std::int64_t first = 0, stop = 0;

  std::int64_t count() const { return stop - first; }
  friend bool operator==(const TaskRange&, const TaskRange&) = default;
};

struct Plan {
  int version = 1;
  std::int64_t max_memory = 0;   ///< The budget of the process, in bytes.
  int threads = 1;               ///< Tasks at a time, if so many fit.
  std::int64_t peak_memory = 0;  ///< At most threads x the largest task.
  std::int64_t temp_bytes = 0;   ///< Largest size of all intermediates.
  std::int64_t temp_objects = 0;
  double predicted_seconds = 0;  ///< From the cost model; not a promise.
  std::vector<StagedCopySpec> arrays;
  Notes notes;  ///< Known before the run.
};

/// All tasks and bytes of a plan; none of them is done yet. Throws:
/// invalid_argument (numbers that no plan has).
Progress work_of(const Plan& plan);

/// The plan as indented JSON. The keys are a contract (README). `speller`
/// spells the options that notes name; without it they are plain words.
std::string to_json(const Plan& plan, const Speller& speller = {});

/// Reads a plan from JSON text that has at least these keys. Throws: corrupt.
Plan plan_from_json(std::string_view text);

}  // namespace rechunk

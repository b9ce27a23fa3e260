// Chooses the shapes of the tasks of staged copies. Pure.
#pragma once

#include <optional>
#include <vector>

#include "plan/planner.h"

namespace rechunk {

/// A candidate: what one array's tasks look like, and what they cost.
struct Staging {
  Method method = Method::kDirect;
  Shape component;
  /// Task shapes, one per stage; the last stage holds `block` at a time.
  std::vector<Shape> tasks;
  Shape block;
  double nanoseconds = 0;  ///< Estimate for one thread, codecs left out.
};

/// Read once and written once, without an intermediate: tasks follow the
/// components of source units and target objects. Nothing if they need more
/// than `task_bytes`.
std::optional<Staging> stage_direct(const ArrayProblem& array,
                                    std::int64_t task_bytes, int threads);

/// The cheapest staging with one or more packed intermediates whose tasks need
/// at most `task_bytes`; nothing if there is none.
std::optional<Staging> stage_packed(const ArrayProblem& array,
                                    std::int64_t task_bytes);

/// Smallest number of bytes in which a task of any staging fits.
std::int64_t smallest_task_bytes(const ArrayProblem& array);

/// Payload bytes of a task that reads source units / the previous stage's
/// objects, of shape `previous`, and that writes a packed object / a block of
/// target chunks.
std::int64_t read_to_packed_bytes(const ArrayProblem& array, const Shape& task);
std::int64_t packed_to_packed_bytes(const ArrayProblem& array,
                                    const Shape& previous, const Shape& task);
std::int64_t packed_to_target_bytes(const ArrayProblem& array,
                                    const Shape& previous, const Shape& block);
std::int64_t direct_bytes(const ArrayProblem& array, const Shape& block);

}  // namespace rechunk

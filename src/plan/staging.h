// Chooses the shapes of the tasks of copies that decode. Pure.
// Parts: staging.cc; packed_search.cc (shapes of staged copies); task_bytes.cc
// (what one task holds).
#pragma once

#include <optional>
#include <vector>

#include "plan/planner.h"

namespace rechunk {

/// A candidate: the shapes of one array's tasks.
struct Staging {
  Method method = Method::kDirect;
  Shape component;
  /// Task shapes, one per stage; the last stage holds `block` at a time.
  std::vector<Shape> tasks;
  Shape block;
  bool coded = false;  ///< Intermediates may be written through a light codec.
};

/// No intermediate, everything read once and written once: tasks are components
/// of source units and target objects. Nothing if they need more than
/// `task_bytes`.
std::optional<Staging> stage_direct(const ArrayProblem& array,
                                    std::int64_t task_bytes, int threads);

/// No intermediate, in blocks that fit. Each block reads everything that it
/// needs from the source, so some chunks are decoded several times. Nothing if
/// not even one unit of the target fits.
std::optional<Staging> stage_rereading(const ArrayProblem& array,
                                       std::int64_t task_bytes, int threads);

/// Stagings with one or more packed intermediates, the best of each kind: with
/// and without the light codec, by component and over the whole array.
/// `threads` tasks at a time need at most `budget`. Where a stage's smallest
/// task is larger, fewer run at once.
std::vector<Staging> stage_packed(const ArrayProblem& array,
                                  std::int64_t budget, int threads);

/// Smallest number of bytes in which a task of any staging fits.
std::int64_t smallest_task_bytes(const ArrayProblem& array);

// Grids, clipped to the array.

/// Boxes that are decoded as a whole, objects of the target, and the parts in
/// which an object is appended.
struct Grids {
  Shape source, object, unit;
};
Grids clipped_grids(const ArrayProblem& array);

/// The smallest box in which the cuts of both grids meet again.
Shape lcm_box(const Shape& a, const Shape& b, const Shape& shape);

/// Lengths that blocks of the target may have along an axis: parts of one
/// object, or whole objects.
std::vector<std::int64_t> block_lengths(const ArrayProblem& array,
                                        const Shape& component,
                                        std::size_t axis);

/// Blocks are parts of one object, or whole objects: never both.
bool is_block(const Shape& block, const Shape& object);
bool covers(const Shape& a, const Shape& b);

double bytes_in(const ArrayProblem& array, const Shape& box);

// Payload bytes of a task (task_bytes.cc).

/// A task reads source units, or objects of shape `previous`. It writes a
/// packed object, or a block of target chunks. `coded`: the packed objects on
/// either side may be coded.
std::int64_t read_to_packed_bytes(const ArrayProblem& array, const Shape& task,
                                  bool coded);
std::int64_t packed_to_packed_bytes(const ArrayProblem& array,
                                    const Shape& previous, const Shape& task,
                                    bool coded);
std::int64_t packed_to_target_bytes(const ArrayProblem& array,
                                    const Shape& previous, const Shape& block,
                                    bool coded);
std::int64_t direct_bytes(const ArrayProblem& array, const Shape& block);

/// True if the light codec takes the pieces of intermediates.
bool can_be_coded(const ArrayProblem& array);

}  // namespace rechunk

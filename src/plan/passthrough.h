// Plans for arrays whose encoded bytes are moved untouched. Pure.
#pragma once

#include <optional>

#include "plan/planner.h"

namespace rechunk {

/// Moves whole objects where the array has the same encoding; else its inner
/// chunks into other shards, or out of shards, or into them. Nothing if a task
/// needs more than `task_bytes`. Tasks of `threads` threads are joined only
/// where enough are left, or where that opens fewer objects. `spec` has names
/// and shapes, no stages yet.
std::optional<StagedCopySpec> plan_passthrough(const ArrayProblem& array,
                                               std::int64_t task_bytes,
                                               int threads,
                                               StagedCopySpec spec);

/// The least that a task of that shape needs, and that the smallest one does.
std::int64_t passthrough_bytes(const ArrayProblem& array, const Shape& task);
std::int64_t smallest_passthrough_bytes(const ArrayProblem& array);

/// What a task keeps of each inner chunk that it takes from one shard.
struct MovedChunk {
  std::int64_t number;  ///< In the grid of all chunks.
  std::int64_t offset;  ///< In the source's object.
  std::int64_t bytes;
};

}  // namespace rechunk

// Plans for arrays whose encoded bytes are moved untouched. Pure.
#pragma once

#include <optional>

#include "plan/planner.h"

namespace rechunk {

/// If the array has the same encoding, moves whole objects; else moves its
/// inner chunks into other shards, out of shards, or into shards. Nothing if a
/// task needs more than `task_bytes`. Tasks are joined only if `threads`
/// threads still have enough of them, or if fewer objects are opened then.
/// `spec` has names and shapes, but no stages yet.
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

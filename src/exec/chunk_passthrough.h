// Moves encoded chunks between shards, out of shards, or into them, untouched.
#pragma once

#include <memory>
#include <string>

#include "exec/pulse.h"
#include "exec/task_runner.h"
#include "plan/task_grid.h"
#include "rechunk/plan.h"
#include "rechunk/store.h"
#include "zarr/chunks/array_reader.h"
#include "zarr/chunks/encoded_layout.h"
#include "zarr/documents/encoding.h"

namespace rechunk {

/// Immutable; may be used by many threads, each with its own arena.
///
/// A task reads the index of each shard that it touches once. Chunks that
/// follow each other in a shard are read together, and keep this order in the
/// target's shard. Missing chunks stay missing; a shard without chunks is not
/// written.
class ChunkPassthrough {
 public:
  struct Side {
    std::shared_ptr<Store> store;
    std::string path;
    EncodedLayout layout;
    bool erase_missing = false;  ///< Target: objects that the source lacks.
    std::string key(const Shape& object) const {
      return join_key(path, chunk_key(layout.key_encoding, object));
    }
  };

  /// At least one side has shards, and chunks are the same on both sides.
  /// `pulse` may be null.
  ChunkPassthrough(const StagedCopySpec& spec, Side source, Side target,
                   Pulse* pulse = nullptr);

  /// Its one stage is 0. Throws: corrupt, io (with the object's place).
  TaskResult run(int stage, std::int64_t task, Arena& arena) const;

  /// As those of ArrayCopy.
  void visit_sources(std::int64_t task, const VisitObject& visit) const;
  void note_targets(std::int64_t task, std::span<std::byte> buffer,
                    ObjectSums& sums) const;

 private:
  class Task;

  TaskGrid tasks_;
  std::int64_t task_bytes_;
  Side source_, target_;
  Pulse* const pulse_;
};

}  // namespace rechunk

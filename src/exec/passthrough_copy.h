// Moves the encoded objects of one array.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "exec/pulse.h"
#include "exec/task_runner.h"
#include "plan/task_grid.h"
#include "rechunk/plan.h"
#include "rechunk/store.h"
#include "zarr/chunks/object_marks.h"
#include "zarr/documents/encoding.h"

namespace rechunk {

/// Moves the encoded objects of one array, untouched.
class PassthroughCopy {
 public:
  struct Side {
    std::shared_ptr<Store> store;
    std::string path;
    ChunkKeyEncoding key_encoding;
    bool erase_missing = false;  ///< Target: objects that the source lacks.
    /// Source: of each object, where it holds elements as they are.
    std::optional<std::int64_t> object_bytes = {};
    std::string key(const Shape& object) const {
      return join_key(path, chunk_key(key_encoding, object));
    }
  };

  /// `pulse` may be null.
  PassthroughCopy(const StagedCopySpec& spec, const Shape& objects, Side source,
                  Side target, Pulse* pulse = nullptr);

  /// Its one stage is 0.
  TaskResult run(int stage, std::int64_t task, Arena& arena) const;

  /// As those of ArrayCopy.
  void visit_sources(std::int64_t task, const VisitObject& visit) const;
  void note_targets(std::int64_t task, std::span<std::byte> buffer,
                    ObjectSums& sums) const;

 private:
  void move_in_window(const Region& objects, Arena& arena, Pulse::Task& pulse,
                      StageReport& report) const;
  void note_missing(const std::string& to, StageReport& report) const;
  void note_moved(const std::string& to, std::int64_t bytes, std::uint64_t hash,
                  StageReport& report) const;
  void move(const Shape& object, Arena& arena, Pulse::Task& pulse,
            StageReport& report) const;

  TaskGrid tasks_;
  Grid objects_;
  const int window_;
  Side source_, target_;
  Pulse* const pulse_;
};

}  // namespace rechunk

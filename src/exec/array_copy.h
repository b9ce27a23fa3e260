// Runs the tasks of one array: reads a region, stages it, writes it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/idle_threads.h"
#include "exec/packed_store.h"
#include "exec/pulse.h"
#include "exec/task_runner.h"
#include "plan/cuts.h"
#include "rechunk/plan.h"
#include "zarr/chunks/array_reader.h"
#include "zarr/chunks/array_writer.h"
#include "zarr/documents/encoding.h"

namespace rechunk {

/// Copies that decode and encode. Immutable; may be used by many threads.
class ArrayCopy {
 public:
  struct Options {
    std::string temp_prefix;      ///< Of the intermediates' keys.
    bool digest = false;          ///< Digest what the first stage reads.
    IdleThreads* idle = nullptr;  ///< May do a part of any task.
    Pulse* pulse = nullptr;       ///< What tasks tell while they go on.
    /// The element for missing chunks of the source, in the target's byte
    /// order. Empty: the target's fill value.
    std::vector<std::byte> source_fill = {};
    Kept kept = {};  ///< What the reader takes from elsewhere.
  };

  /// `temp` may be null if the copy has one stage.
  ArrayCopy(const StagedCopySpec& spec,
            std::shared_ptr<const RegionReader> reader,
            std::shared_ptr<const ArrayWriter> writer,
            std::shared_ptr<Store> temp, const Options& options);

  TaskResult run(int stage, std::int64_t task, Arena& arena) const;
  void release(const TaskRange& tasks) const;
  /// True if the object that the task wrote into its intermediate exists.
  bool has_intermediate(int stage, std::int64_t task) const;

  /// Visits the objects that a task of the first stage reads.
  void visit_sources(std::int64_t task, const VisitObject& visit) const;
  /// Notes the present state of the objects that a task of the last stage
  /// wrote. Content is only included if there is a buffer.
  void note_targets(std::int64_t task, std::span<std::byte> buffer,
                    ObjectSums& sums) const;

 private:
  struct Task;
  void run_to_packed(const Task& task, TaskResult& result) const;
  void run_to_target(const Task& task, TaskResult& result) const;
  void write_chunks(const Block& block, const Task& task,
                    StageReport& report) const;
  void write_shards(const Task& task, TaskResult& result) const;
  void read(const Task& task, Block& block, std::span<const std::byte> left_out,
            TaskResult& result) const;
  void read_source(const Region& region, RegionSink& sink, Arena& arena,
                   StageReport& report) const;
  void read_added(const Region& region, RegionSink& sink, Arena& arena,
                  StageReport& report) const;
  using Part = std::function<void(const Shape& cell, Arena&, StageReport&)>;
  void for_each_cell(const Region& cells, Arena& arena, StageReport& report,
                     const Part& part) const;
  Block target_block(const Region& region, Arena& arena) const;

  const StagedCopySpec spec_;
  std::shared_ptr<const RegionReader> reader_;
  std::shared_ptr<const ArrayWriter> writer_;
  const int write_window_;
  std::vector<TaskGrid> tasks_;
  std::vector<PackedStore> intermediates_;
  std::vector<DigestScalar> digest_scalars_;  ///< Empty: no digest.
  IdleThreads* const idle_;
  const Kept kept_;
  Pulse* const pulse_;
};

}  // namespace rechunk

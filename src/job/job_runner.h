// The tasks of a whole job: one copy per array of the plan.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "exec/array_copy.h"
#include "exec/chunk_passthrough.h"
#include "exec/passthrough_copy.h"
#include "exec/task_runner.h"
#include "job/planned_job.h"
#include "rechunk/array_source.h"
#include "rechunk/options.h"

namespace rechunk {

/// Makes a reader of a source array, in the byte order of `scalars`.
/// Throws: unsupported (the array cannot be decoded, or has no place).
std::shared_ptr<const RegionReader> make_reader(
    const Stores& stores, const std::string& path, const ArrayMetadata& array,
    const std::vector<DataType::Scalar>& scalars, int window = 1);

/// What to do with target chunks that hold only the fill value.
EmptyChunks empty_chunks(const Options& options, const ArrayMetadata& target);

class PartialObjects;

class JobRunner final : public TaskRunner {
 public:
  /// `job`, with its plan file, must outlive the runner. Tasks share their work
  /// with `idle` threads and report their progress to `pulse` (both may be
  /// null).
  explicit JobRunner(const PlannedJob& job, IdleThreads* idle = nullptr,
                     Pulse* pulse = nullptr);

  /// Throws: also not_found and invalid_argument, if the source is not the one
  /// that was planned.
  TaskResult run(int array, int stage, std::int64_t task,
                 Arena& arena) override;
  void release(const TaskRange& tasks) override;

  /// What is checked of the source is not checked again before tasks.
  const SourceCheck& sources() const { return source_check_; }

  /// Visits the objects that the task of a first stage reads.
  void visit_sources(int array, std::int64_t task,
                     const VisitObject& visit) const;
  /// The present state of these objects, and of those that the task of a last
  /// stage wrote; their content only if there is a buffer.
  ObjectSums sources_of(int array, std::int64_t task) const;
  ObjectSums targets_of(int array, std::int64_t task,
                        std::span<std::byte> buffer) const;
  /// True if the object that the task wrote into an intermediate exists.
  bool has_intermediate(int array, int stage, std::int64_t task) const;

  /// The last objects of an array that grows; null for all others.
  PartialObjects* partial_objects(int array) const {
    return partial_objects_[array].get();
  }

 private:
  SourceCheck source_check_;
  std::vector<std::shared_ptr<PartialObjects>> partial_objects_;
  std::vector<std::variant<ArrayCopy, PassthroughCopy, ChunkPassthrough>>
      copies_;
};

}  // namespace rechunk

#include "plan/passthrough.h"

#include <algorithm>
#include <numeric>

#include "plan/geometry.h"
#include "plan/packed_layout.h"

namespace rechunk {
namespace {

constexpr std::int64_t kTaskBytes = 16 << 20;
// A task may be larger to hold whole shards of the source.
constexpr std::int64_t kAlignedTaskBytes = 64 << 20;
constexpr std::int64_t kSmallestBufferBytes = 4096;

bool holds_at_most(const ArrayProblem& array, const Shape& task,
                   std::int64_t bytes) {
  // In floating point, because the product of lengths may overflow.
  double size =
      static_cast<double>(std::max<std::int64_t>(1, array.item_bytes));
  for (const std::int64_t length : task) size *= static_cast<double>(length);
  return size <= static_cast<double>(bytes);
}

// Most source objects that a task touches. Tasks begin at multiples of
// gcd(step, object) within an object, at worst at the last.
std::int64_t most_sources(const ArrayProblem& array, const Shape& task) {
  std::int64_t sources = 1;
  for (std::size_t axis = 0; axis < task.size(); ++axis) {
    const std::int64_t step = task[axis], object = array.source.objects[axis];
    const std::int64_t all = ceil_div(array.shape[axis], object);
    const std::int64_t last = object - std::gcd(step, object);
    const bool whole = step >= array.shape[axis];
    sources = checked_multiply(
        sources, whole ? all : std::min(all, ceil_div(last + step, object)));
  }
  return sources;
}

// Most chunks that a task takes from one source object.
std::int64_t most_chunks(const ArrayProblem& array, const Shape& task) {
  std::int64_t chunks = 1;
  for (std::size_t axis = 0; axis < task.size(); ++axis)
    chunks = checked_multiply(
        chunks, ceil_div(std::min(task[axis], array.source.objects[axis]),
                         array.source.chunks[axis]));
  return chunks;
}

// The memory of a task without its buffer: the indices of its source shards,
// the index of a target shard, and the list of chunks.
std::int64_t index_bytes(const ArrayProblem& array, const Shape& task) {
  std::int64_t bytes = array.target.object_scratch_bytes + kAlignmentBytes;
  if (array.source.object_scratch_bytes == 0) return bytes;
  bytes =
      checked_add(bytes, checked_multiply(most_sources(array, task),
                                          array.source.object_scratch_bytes));
  return checked_add(
      bytes, checked_multiply(most_chunks(array, task), sizeof(MovedChunk)));
}

// An open writer keeps no more than the object; encoders make it a little
// larger.
std::int64_t writer_bytes(const ArrayProblem& array) {
  const std::int64_t object =
      checked_multiply(element_count(array.target.objects), array.item_bytes);
  return std::min(array.target.medium.writer_bytes,
                  checked_add(object, object / 8 + kAlignmentBytes));
}

// A buffer for each object in flight.
std::int64_t window_bytes(const ArrayProblem& array, const Shape& task) {
  // Also if only one side has several in flight: the other fills the buffers.
  const int window = std::max(array.source.window, array.target.window);
  if (window == 1) return 0;
  std::int64_t objects = 1;
  for (std::size_t axis = 0; axis < task.size(); ++axis)
    objects = std::min<std::int64_t>(
        window, objects * ceil_div(task[axis], array.source.objects[axis]));
  return checked_multiply(objects, array.source.request_bytes);
}

std::int64_t pairs(const ArrayProblem& array, const Shape& task) {
  return exact_pairs(array.shape, task,
                     clip(array.source.objects, array.shape));
}

// Many tasks are as good as one large task, unless they open source objects
// more often.
bool is_worth_joining(const ArrayProblem& array, const Shape& task,
                      const Shape& larger, int threads) {
  return Grid(array.shape, larger).cell_count() >= kTasksPerThread * threads ||
         pairs(array, larger) < pairs(array, task);
}

class TaskSearch {
 public:
  TaskSearch(const ArrayProblem& array, std::int64_t task_bytes, int threads)
      : array_(array),
        task_bytes_(task_bytes),
        threads_(threads),
        task_(clip(array.target.objects, array.shape)) {}

  // Takes whole source objects first, if they are not too large, so that each
  // is opened by one task. Then takes neighbours.
  Shape run() {
    for (std::size_t axis = task_.size(); axis-- > 0;) align(axis);
    for (std::size_t axis = task_.size(); axis-- > 0;)
      while (task_[axis] < array_.shape[axis] &&
             grow(axis, task_[axis] * 2, kTaskBytes)) {
      }
    return task_;
  }

 private:
  void align(std::size_t axis) {
    const std::int64_t length = array_.shape[axis], step = task_[axis];
    if (step >= length) return;
    const std::int64_t all =
        lcm_up_to(step, array_.source.objects[axis], length);
    if (grow(axis, all, kAlignedTaskBytes) || all >= length) return;
    // Else an even part of a shard, so that no task touches two shards.
    const std::int64_t parts = all / step;
    for (std::int64_t divisor = 2; divisor <= std::min(parts, kMostDivisors);
         ++divisor)
      if (parts % divisor == 0 && grow(axis, all / divisor, kTaskBytes)) return;
  }

  bool grow(std::size_t axis, std::int64_t step, std::int64_t most_bytes) {
    Shape larger = task_;
    larger[axis] = std::min(step, array_.shape[axis]);
    if (!holds_at_most(array_, larger, most_bytes) ||
        index_bytes(array_, larger) + kPassthroughBufferBytes > task_bytes_ ||
        !is_worth_joining(array_, task_, larger, threads_))
      return false;
    task_ = larger;
    return true;
  }

  static constexpr std::int64_t kMostDivisors = 4096;
  const ArrayProblem& array_;
  const std::int64_t task_bytes_;
  const int threads_;
  Shape task_;
};

StagedCopySpec one_stage(const ArrayProblem& array, const Shape& task,
                         StagedCopySpec spec) {
  spec.method = Method::kPassthrough;
  spec.component = clip(array.shape, array.shape);
  CopySpec stage;
  stage.source = "source";
  stage.target = "target";
  stage.chunks = stage.block = task;
  stage.tasks = Grid(array.shape, task).cell_count();
  stage.objects_read = pairs(array, task);
  stage.objects_written = Grid(array.shape, array.target.objects).cell_count();
  spec.stages = {stage};
  return spec;
}

// A task has some neighbours, as far as their buffers fit.
StagedCopySpec move_objects(const ArrayProblem& array, std::int64_t task_bytes,
                            int threads, StagedCopySpec spec) {
  Shape task = clip(array.target.objects, array.shape);
  for (std::size_t axis = task.size(); axis-- > 0;)
    while (task[axis] < array.shape[axis]) {
      Shape larger = task;
      larger[axis] = std::min(array.shape[axis], task[axis] * 2);
      if (!holds_at_most(array, larger, kTaskBytes) ||
          passthrough_bytes(array, larger) > task_bytes ||
          !is_worth_joining(array, task, larger, threads))
        break;
      task = larger;
    }
  spec = one_stage(array, task, std::move(spec));
  spec.stages[0].max_task_bytes = passthrough_bytes(array, task);
  spec.reasons = {
      "source and target share grid, type and codecs: encoded "
      "objects are moved as they are"};
  return spec;
}

StagedCopySpec move_chunks(const ArrayProblem& array, std::int64_t task_bytes,
                           int threads, StagedCopySpec spec) {
  const Shape task = TaskSearch(array, task_bytes, threads).run();
  spec = one_stage(array, task, std::move(spec));
  spec.stages[0].max_task_bytes =
      std::min(task_bytes, index_bytes(array, task) + kPassthroughBufferBytes);
  spec.reasons = {
      "source and target share type, codecs and the grid of chunks, but not "
      "of shards: encoded chunks are moved as they are"};
  return spec;
}

}  // namespace

std::optional<StagedCopySpec> plan_passthrough(const ArrayProblem& array,
                                               std::int64_t task_bytes,
                                               int threads,
                                               StagedCopySpec spec) {
  if (smallest_passthrough_bytes(array) > task_bytes) return std::nullopt;
  return array.same_encoding
             ? move_objects(array, task_bytes, threads, std::move(spec))
             : move_chunks(array, task_bytes, threads, std::move(spec));
}

std::int64_t passthrough_bytes(const ArrayProblem& array, const Shape& task) {
  // A window of small objects; a large one goes through an open writer.
  if (array.same_encoding)
    return kPassthroughBufferBytes + window_bytes(array, task) +
           writer_bytes(array);
  return index_bytes(array, task) + kSmallestBufferBytes;
}

std::int64_t smallest_passthrough_bytes(const ArrayProblem& array) {
  return passthrough_bytes(array, clip(array.target.objects, array.shape));
}

}  // namespace rechunk

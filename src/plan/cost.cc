#include "plan/cost.h"

#include <algorithm>

#include "plan/geometry.h"

namespace rechunk {
namespace {

// Missing chunks do not count, because they are neither read nor written.
double array_bytes(const ArrayProblem& array) {
  double bytes = static_cast<double>(array.item_bytes);
  for (const std::int64_t length : array.shape)
    bytes *= static_cast<double>(length);
  return bytes * (1 - array.missing_share);
}

int axis_at(const ArrayProblem& array, std::size_t place) {
  return array.source.axis_order.empty() ? static_cast<int>(place)
                                         : array.source.axis_order[place];
}

// Chunks without codecs are read in runs of neighbouring bytes. On an axis that
// blocks cut, each overlap begins a run. On the axes outside of it, each step
// begins one.
double runs(const ArrayProblem& array, const Shape& block) {
  double count = 1;
  bool cut = false;
  for (std::size_t place = array.shape.size(); place-- > 0;) {
    const int axis = axis_at(array, place);
    const std::int64_t length = array.shape[axis];
    const std::int64_t chunk = array.source.chunks[axis];
    count *= static_cast<double>(
        cut ? length : overlapping_pairs(length, block[axis], chunk));
    cut = cut || (block[axis] < length && block[axis] % chunk != 0);
  }
  // A run ends with its batch, also if nothing is cut.
  return std::max(count, array_bytes(array) / kRawBatchBytes);
}

double pair_count(const ArrayProblem& array, const Shape& a, const Shape& b) {
  return estimated_pairs(array.shape, clip(a, array.shape),
                         clip(b, array.shape));
}

double cells(const ArrayProblem& array, const Shape& cell) {
  double count = 1;
  for (std::size_t axis = 0; axis < cell.size(); ++axis)
    count *= static_cast<double>(ceil_div(array.shape[axis], cell[axis]));
  return count;
}

double chunk_bytes(const ArrayProblem& array, const Shape& chunk) {
  double bytes = static_cast<double>(array.item_bytes);
  for (const std::int64_t length : chunk) bytes *= static_cast<double>(length);
  return bytes;
}

double parts_read_cost(const ArrayProblem& array, const Shape& block) {
  const MediumTraits& medium = array.source.medium;
  const double bytes = array_bytes(array);
  const double batches = std::max(pair_count(array, block, array.source.chunks),
                                  bytes / kRawBatchBytes);
  return batches * (medium.request_ns + medium.latency_ns) +
         runs(array, block) * medium.run_ns + bytes * medium.read_ns_per_byte;
}

// Whether the run will find coding faster (`CodingChoice`): what is faster to
// write decides, not what is faster to read.
bool is_coded(const ArrayProblem& array, const Packing& packing) {
  const double raw = array.temp.write_ns_per_byte +
                     (packing.on_disk ? array.temp.disk_write_ns_per_byte : 0);
  return packing.coded &&
         kLightEncodeNsPerByte + array.light_stored_ratio * raw < raw;
}

// How stage `index` stores what it writes, which is an intermediate.
Packing packing_of(const ArrayProblem& array, const StagedCopySpec& plan,
                   std::size_t index) {
  return {plan.stages[index].coded, reaches_disk(array, plan.component)};
}

}  // namespace

double source_read_cost(const ArrayProblem& array, const Shape& block) {
  const ChunkTraits& source = array.source;
  if (source.in_parts) return parts_read_cost(array, block);
  // A shard costs one request for its index and one for each chunk.
  const double requests = pair_count(array, block, source.objects) +
                          (source.objects == source.chunks
                               ? 0
                               : pair_count(array, block, source.chunks));
  const double bytes = pair_count(array, block, source.chunks) *
                       chunk_bytes(array, source.chunks) *
                       (1 - array.missing_share);
  return requests * (source.medium.request_ns + source.medium.latency_ns) +
         bytes * (source.codec_ns_per_byte +
                  source.stored_ratio * source.medium.read_ns_per_byte);
}

bool is_beyond_cache(const ArrayProblem& array) {
  return array.disk_bytes > static_cast<double>(array.cache_bytes);
}

bool reaches_disk(const ArrayProblem& array, const Shape& component) {
  const Shape box = clip(component, array.shape);
  // Those of two components may live at a time.
  const double at_once = std::min(2.0, cells(array, box));
  return array.temp.disk_write_ns_per_byte > 0 &&
         chunk_bytes(array, box) * at_once >
             kCachedShare * static_cast<double>(array.cache_bytes);
}

double packed_write_cost(const ArrayProblem& array, const Shape& task,
                         const Packing& packing) {
  const MediumTraits& medium = array.temp;
  const double byte = is_coded(array, packing)
                          ? kLightEncodeNsPerByte + array.light_stored_ratio *
                                                        medium.write_ns_per_byte
                          : medium.write_ns_per_byte;
  return array_bytes(array) * byte + cells(array, clip(task, array.shape)) *
                                         (medium.object_ns + medium.latency_ns);
}

double packed_read_cost(const ArrayProblem& array, const Shape& task,
                        const Shape& block, const Packing& packing) {
  const MediumTraits& medium = array.temp;
  const double byte = is_coded(array, packing)
                          ? kLightDecodeNsPerByte + array.light_stored_ratio *
                                                        medium.read_ns_per_byte
                          : medium.read_ns_per_byte;
  return pair_count(array, task, block) *
             (medium.request_ns + medium.latency_ns) +
         pair_count(array, task, array.target.chunks) * kPieceNs +
         array_bytes(array) * byte;
}

double packed_disk_bytes(const ArrayProblem& array, const Packing& packing) {
  if (!packing.on_disk) return 0;
  return array_bytes(array) *
         (is_coded(array, packing) ? array.light_stored_ratio : 1);
}

double target_write_cost(const ArrayProblem& array) {
  const ChunkTraits& target = array.target;
  const double bytes =
      cells(array, target.chunks) * chunk_bytes(array, target.chunks);
  return (1 - array.missing_share) *
         (bytes * (target.codec_ns_per_byte +
                   target.stored_ratio * target.medium.write_ns_per_byte) +
          cells(array, target.objects) *
              (target.medium.object_ns + target.medium.latency_ns));
}

double copy_cost(const ArrayProblem& array, const Shape& from,
                 const Shape& to) {
  const double bytes = array_bytes(array);
  if (array.shape.empty()) return bytes;
  // Elements that are neighbours in both orders.
  const int axis = axis_at(array, array.shape.size() - 1);
  const auto run = static_cast<double>(
      std::max<std::int64_t>(
          1, std::min({from[axis], to[axis], array.shape[axis]})) *
      array.item_bytes);
  return bytes * (kCopyNsPerByte + kCopyNsPerRun / run);
}

double memory_cost(std::int64_t task_bytes, int threads) {
  return kMemoryNsPerByte * static_cast<double>(task_bytes) * threads;
}

StageCost stage_cost(const ArrayProblem& array, const StagedCopySpec& plan,
                     std::size_t index) {
  const CopySpec& stage = plan.stages[index];
  const bool first = index == 0, last = index + 1 == plan.stages.size();
  StageCost cost;
  if (plan.method == Method::kPassthrough) {
    const double bytes = array_bytes(array) * array.source.stored_ratio;
    const MediumTraits& from = array.source.medium;
    const MediumTraits& to = array.target.medium;
    cost.read = static_cast<double>(stage.objects_read) *
                    (from.request_ns + from.latency_ns) +
                bytes * from.read_ns_per_byte;
    cost.write = static_cast<double>(stage.objects_written) *
                     (to.object_ns + to.latency_ns) +
                 bytes * to.write_ns_per_byte;
    return cost;
  }
  cost.read =
      first ? source_read_cost(array, stage.block)
            : packed_read_cost(array, plan.stages[index - 1].chunks,
                               stage.block, packing_of(array, plan, index - 1));
  cost.write = last ? target_write_cost(array)
                    : packed_write_cost(array, stage.chunks,
                                        packing_of(array, plan, index));
  // The first stage orders elements as the target wants them.
  if (first)
    cost.copy = copy_cost(array, array.source.chunks, array.target.chunks);
  return cost;
}

DiskTime disk_time(const ArrayProblem& array, const StagedCopySpec& plan,
                   std::size_t index) {
  const bool first = index == 0, last = index + 1 == plan.stages.size();
  const MediumTraits& from = array.source.medium;
  const MediumTraits& to = array.target.medium;
  // Chunks beyond the array's end hold fill, which takes no room.
  const double all = is_beyond_cache(array) ? array_bytes(array) : 0;
  const double padded = cells(array, array.source.chunks) *
                        chunk_bytes(array, array.source.chunks);
  const auto decoded = static_cast<double>(plan.stages[index].bytes_decoded);
  const double times = std::max(1.0, decoded / std::max(1.0, padded));
  const double target_ratio = plan.method == Method::kPassthrough
                                  ? array.source.stored_ratio
                                  : array.target.stored_ratio;
  return {first ? all * times * array.source.stored_ratio *
                      from.disk_read_ns_per_byte
                : packed_disk_bytes(array, packing_of(array, plan, index - 1)) *
                      array.temp.disk_read_ns_per_byte,
          last ? all * target_ratio * to.disk_write_ns_per_byte
               : packed_disk_bytes(array, packing_of(array, plan, index)) *
                     array.temp.disk_write_ns_per_byte};
}

int tasks_at_once(std::int64_t task_bytes, const PlanOptions& options) {
  return static_cast<int>(std::clamp<std::int64_t>(
      options.max_memory / std::max<std::int64_t>(1, task_bytes), 1,
      options.threads));
}

double predicted_nanoseconds(const ArrayProblem& array,
                             const StagedCopySpec& plan,
                             const PlanOptions& options) {
  double nanoseconds = 0;
  std::int64_t task_bytes = 0;
  for (std::size_t index = 0; index < plan.stages.size(); ++index) {
    const CopySpec& stage = plan.stages[index];
    task_bytes = std::max(task_bytes, stage.max_task_bytes);
    const int threads = tasks_at_once(stage.max_task_bytes, options);
    auto tasks = std::max<std::int64_t>(1, stage.tasks);
    // The last round may leave threads idle. If there are fewer tasks than
    // threads, the threads share the chunks of a task.
    if (tasks < threads && index + 1 == plan.stages.size() &&
        !array.target.chunks.empty())
      tasks =
          std::max(tasks, Grid(array.shape, array.target.chunks).cell_count());
    const double busy = stage_cost(array, plan, index).total() *
                        static_cast<double>(ceil_div(tasks, threads)) /
                        static_cast<double>(tasks);
    const DiskTime disk = disk_time(array, plan, index);
    nanoseconds += std::max({busy, disk.read, disk.write});
  }
  return nanoseconds + memory_cost(task_bytes, 1);
}

}  // namespace rechunk

#include "plan/make_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/cost.h"
#include "plan/geometry.h"
#include "plan/passthrough.h"
#include "plan/task_grid.h"

namespace rechunk {
namespace {

std::string intermediate_name(std::size_t stage, std::size_t stages,
                              bool source) {
  if (source)
    return stage == 0 ? "source" : fmt::format("intermediate-{}", stage);
  return stage + 1 == stages ? "target"
                             : fmt::format("intermediate-{}", stage + 1);
}

std::int64_t elements_bytes(const ArrayProblem& array) {
  return checked_multiply(element_count(array.shape), array.item_bytes);
}

/// Overlapping pairs of blocks and cells that a first stage reads: in the kept
/// part, and in the added one.
struct SourcePairs {
  std::int64_t kept = 0, added = 0;
};

SourcePairs source_pairs(const ArrayProblem& array, const Shape& block,
                         const Shape& kept_cells, const Shape& cells) {
  if (array.kept.length == 0)
    return {0, exact_pairs(array.shape, block, clip(cells, array.shape))};
  const auto axis = static_cast<std::size_t>(array.kept.axis);
  const std::int64_t length = array.kept.length;
  const auto pairs = [&](const Shape& shape, const Shape& other,
                         std::int64_t along) {
    Shape across = shape;
    // `along` counts the pairs along this axis.
    across[axis] = std::min<std::int64_t>(1, shape[axis]);
    return checked_multiply(exact_pairs(across, block, other), along);
  };
  // The kept part is the first of the cuts. It is read in the target's grid, so
  // its pairs are counted apart.
  const std::int64_t begun = ceil_div(length, block[axis]);
  return {pairs(array.shape, kept_cells,
                overlapping_pairs(length, block[axis], kept_cells[axis])),
          pairs(array.shape, cells,
                overlapping_pairs(array.shape[axis], block[axis],
                                  Cuts{length, cells[axis]}) -
                    begun)};
}

std::int64_t decoded_bytes(const ArrayProblem& array, const Shape& block) {
  const SourcePairs pairs =
      source_pairs(array, block, array.target.chunks, array.source.chunks);
  const auto elements = [&](bool in_parts, const Shape& box, std::int64_t count,
                            const Shape& chunk) {
    if (in_parts) return element_count(box);
    return count == 0 ? 0 : checked_multiply(count, element_count(chunk));
  };
  const std::int64_t added =
      elements(array.source.in_parts, array.kept.added(array.shape),
               pairs.added, array.source.chunks);
  const std::int64_t kept =
      array.kept.length == 0 ? 0
                             : elements(array.kept_in_parts,
                                        array.kept.region(array.shape).extent(),
                                        pairs.kept, array.target.chunks);
  return checked_multiply(checked_add(kept, added), array.item_bytes);
}

// Predicted reads of a stage. Each block opens what it needs for itself.
void count_reads(const ArrayProblem& array, bool from_source,
                 const Shape& previous, CopySpec& stage) {
  if (from_source) {
    const SourcePairs pairs = source_pairs(
        array, stage.block, array.target.objects, array.source.objects);
    stage.objects_read = checked_add(pairs.kept, pairs.added);
    stage.bytes_decoded = decoded_bytes(array, stage.block);
  } else {
    stage.objects_read = exact_pairs(array.shape, stage.block, previous);
    stage.bytes_decoded = elements_bytes(array);
  }
}

void count_writes(const ArrayProblem& array, bool to_target, CopySpec& stage) {
  if (to_target) {
    stage.objects_written =
        Grid(array.shape, array.target.objects).cell_count();
    stage.bytes_encoded = checked_multiply(
        element_count(array.shape) == 0
            ? 0
            : padded_elements(array.shape, array.target.chunks),
        array.item_bytes);
  } else {
    stage.objects_written = stage.tasks;
    stage.bytes_encoded = elements_bytes(array);
  }
}

// Only the last intermediate has the target's chunks for pieces.
bool is_coded(const Staging& staging, std::size_t stage) {
  return staging.coded && stage + 2 == staging.tasks.size();
}

std::vector<CopySpec> make_stages(const ArrayProblem& array,
                                  const Staging& staging) {
  const std::size_t count = staging.tasks.size();
  std::vector<CopySpec> stages;
  for (std::size_t stage = 0; stage < count; ++stage) {
    CopySpec spec;
    spec.source = intermediate_name(stage, count, true);
    spec.target = intermediate_name(stage, count, false);
    spec.chunks = staging.tasks[stage];
    spec.block = stage + 1 == count ? staging.block : spec.chunks;
    spec.coded = is_coded(staging, stage);
    spec.tasks = Grid(array.shape, spec.chunks).cell_count();
    const Shape previous = stage ? stages.back().chunks : Shape{};
    count_reads(array, stage == 0, previous, spec);
    count_writes(array, stage + 1 == count, spec);
    stages.push_back(spec);
  }
  return stages;
}

}  // namespace

std::int64_t needed_task_bytes(const ArrayProblem& array,
                               const StagedCopySpec& plan, std::size_t stage) {
  const CopySpec& spec = plan.stages[stage];
  if (plan.method == Method::kPassthrough)
    return passthrough_bytes(array, spec.chunks);
  const std::size_t last = plan.stages.size() - 1;
  if (last == 0) return direct_bytes(array, spec.block);
  if (stage == 0) return read_to_packed_bytes(array, spec.chunks, spec.coded);
  const CopySpec& previous = plan.stages[stage - 1];
  if (stage < last)
    return packed_to_packed_bytes(array, previous.chunks, spec.chunks,
                                  spec.coded);
  return packed_to_target_bytes(array, previous.chunks, spec.block,
                                previous.coded);
}

StagedCopySpec empty_spec(const ArrayProblem& array) {
  StagedCopySpec spec;
  spec.name = array.name;
  spec.shape = array.shape;
  spec.dtype = array.dtype;
  spec.item_bytes = array.item_bytes;
  spec.source_chunks = array.source.chunks;
  spec.target_chunks = array.target.chunks;
  if (array.source.objects != array.source.chunks)
    spec.source_shards = array.source.objects;
  if (array.target.objects != array.target.chunks)
    spec.target_shards = array.target.objects;
  spec.costs = {array.calibrated,
                array.source.codec_ns_per_byte,
                array.target.codec_ns_per_byte,
                array.source.stored_ratio,
                array.target.stored_ratio,
                array.target.medium.write_ns_per_byte,
                array.missing_share,
                0};
  return spec;
}

StagedCopySpec make_spec(const ArrayProblem& array, const Staging& staging,
                         const PlanOptions& options) {
  StagedCopySpec spec = empty_spec(array);
  spec.method = staging.method;
  spec.component = staging.component;
  spec.stages = make_stages(array, staging);
  if (spec.stages.size() > 1 && reaches_disk(array, spec.component))
    spec.costs.temp_disk_ns_per_byte = array.temp.disk_write_ns_per_byte;
  for (std::size_t stage = 0; stage < spec.stages.size(); ++stage)
    spec.stages[stage].max_task_bytes = needed_task_bytes(array, spec, stage);
  spec.predicted_seconds = predicted_nanoseconds(array, spec, options) * 1e-9;
  return spec;
}

}  // namespace rechunk

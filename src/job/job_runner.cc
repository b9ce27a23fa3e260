#include "job/job_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/array_label.h"
#include "base/retry.h"
#include "job/existing_target.h"
#include "job/partial_objects.h"
#include "rechunk/error.h"
#include "request/target_hierarchy.h"
#include "zarr/chunks/array_source_reader.h"
#include "zarr/chunks/encoded_layout.h"
#include "zarr/chunks/object_marks.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
namespace {

// What is missing in the source is its own fill value, not the target's.
std::vector<std::byte> swapped_fill(
    const ArrayLayout& source, const std::vector<DataType::Scalar>& scalars) {
  std::vector<std::byte> fill = source.fill;
  ByteSwap(source.scalars, scalars).apply(fill);
  return fill;
}

// Of objects that hold elements as they are, without codecs and shards.
std::optional<std::int64_t> raw_object_bytes(const ArrayMetadata& array) {
  if (shards_of(array) || !is_decodable(array)) return std::nullopt;
  const ArrayLayout layout = make_layout(array);
  return layout.codecs.empty() ? std::optional(layout.chunk_bytes())
                               : std::nullopt;
}

}  // namespace

std::shared_ptr<const RegionReader> make_reader(
    const Stores& stores, const std::string& path, const ArrayMetadata& array,
    const std::vector<DataType::Scalar>& scalars, int window) {
  const auto layout = std::make_shared<const ArrayLayout>(make_layout(array));
  if (const auto found = stores.array_sources.find(path);
      found != stores.array_sources.end())
    return std::make_shared<const ArraySourceReader>(found->second, layout,
                                                     scalars);
  if (!stores.source)
    throw Error(
        ErrorKind::kUnsupported,
        "reading " + array_label(path) + ": the plan cannot name its place",
        "the array was given in Python: call execute() there");
  return std::make_shared<const ArrayReader>(
      stores.source, path, layout, scalars,
      std::min(window, stores.source->medium().requests));
}

EmptyChunks empty_chunks(const Options& options, const ArrayMetadata& target) {
  if (options.write_empty_chunks) return EmptyChunks::kWrite;
  // Zeros are what null is here; other readers may take it for something else.
  if (into_existing(options) && target.fill_value.json == "null")
    return EmptyChunks::kWrite;
  return into_existing(options) ? EmptyChunks::kErase : EmptyChunks::kLeaveOut;
}

JobRunner::JobRunner(const PlannedJob& job, IdleThreads* idle, Pulse* pulse)
    : source_check_(job) {
  const Stores& stores = job.stores;
  const Options& options = job.options;
  const bool existing = into_existing(options);
  for (std::size_t index = 0; index < job.plan.arrays.size(); ++index) {
    const StagedCopySpec& spec = job.plan.arrays[index];
    const ArrayMetadata& from = job.source.arrays.at(spec.name);
    const ArrayMetadata& to = job.target.arrays.at(spec.name);
    std::shared_ptr<PartialObjects> partial;
    if (existing && !options.append.empty())
      partial = std::make_shared<PartialObjects>(job, spec.name);
    partial_objects_.push_back(partial);
    const auto place = partial ? partial->target() : stores.target;
    if (spec.method == Method::kPassthrough && !same_encoding(from, to)) {
      copies_.emplace_back(ChunkPassthrough(
          spec, {stores.source, spec.name, encoded_layout(from)},
          {place, spec.name, encoded_layout(to), existing}, pulse));
      continue;
    }
    if (spec.method == Method::kPassthrough) {
      copies_.emplace_back(PassthroughCopy(
          spec, to.chunks,
          {stores.source, spec.name, from.key_encoding, false,
           raw_object_bytes(from)},
          {place, spec.name, to.key_encoding, existing}, pulse));
      continue;
    }
    const auto layout = std::make_shared<const ArrayLayout>(make_layout(to));
    auto reader =
        make_reader(stores, spec.name, from, layout->scalars, spec.window);
    const auto fill = swapped_fill(make_layout(from), layout->scalars);
    const Kept kept = kept_of(job, spec.name);
    if (kept.length > 0) {
      reader = std::make_shared<const AppendedReader>(
          kept, partial->reader(layout), reader, fill);
    }
    const auto writer = std::make_shared<const ArrayWriter>(
        place, spec.name, layout, empty_chunks(options, to));
    copies_.emplace_back(ArrayCopy(
        spec, reader, writer, stores.temp,
        {.temp_prefix = fmt::format("{}", index),
         .digest = options.verify,
         .idle = stores.array_sources.contains(spec.name) ? nullptr : idle,
         .pulse = pulse,
         .source_fill = fill,
         .kept = kept}));
  }
}

// Tasks write whole objects, so that doing one again does no harm.
TaskResult JobRunner::run(int array, int stage, std::int64_t task,
                          Arena& arena) {
  return retrying([&] {
    if (stage == 0) source_check_.before_task(array);
    TaskResult result = std::visit(
        [&](const auto& copy) { return copy.run(stage, task, arena); },
        copies_[array]);
    if (stage == 0) source_check_.after_task(array, result.report);
    sum_sources(result.report);
    return result;
  });
}

void JobRunner::visit_sources(int array, std::int64_t task,
                              const VisitObject& visit) const {
  std::visit([&](const auto& copy) { copy.visit_sources(task, visit); },
             copies_[array]);
}

ObjectSums JobRunner::sources_of(int array, std::int64_t task) const {
  StageReport report;
  visit_sources(array, task, [&](const ReadRequest& request) {
    note_source(report, request);
  });
  sum_sources(report);
  return report.read;
}

ObjectSums JobRunner::targets_of(int array, std::int64_t task,
                                 std::span<std::byte> buffer) const {
  ObjectSums sums;
  std::visit([&](const auto& copy) { copy.note_targets(task, buffer, sums); },
             copies_[array]);
  return sums;
}

void JobRunner::release(const TaskRange& tasks) {
  retrying([&] { std::get<ArrayCopy>(copies_[tasks.array]).release(tasks); });
}

bool JobRunner::has_intermediate(int array, int stage,
                                 std::int64_t task) const {
  return std::get<ArrayCopy>(copies_[array]).has_intermediate(stage, task);
}

}  // namespace rechunk

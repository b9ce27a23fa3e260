#include "job/job_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "job/array_source_reader.h"
#include "job/digest_array.h"
#include "job/target_hierarchy.h"
#include "zarr/layout.h"

namespace rechunk {
namespace {

// Rough costs of decoding and encoding one byte; they only rank plans.
constexpr double kDecodeNanoseconds = 0.7;
constexpr double kEncodeNanoseconds = 2;

ChunkTraits source_traits(const ArrayLayout& layout) {
  return {layout.object_shape,
          layout.chunk_shape,
          layout.chunk_shape,
          ArrayReader::unit_scratch_bytes(layout),
          ArrayReader::object_scratch_bytes(layout),
          layout.codecs.empty() ? 0 : kDecodeNanoseconds};
}

ChunkTraits target_traits(const ArrayLayout& layout) {
  return {
      layout.object_shape,
      layout.chunk_shape,
      layout.shards.empty() ? layout.chunk_shape : layout.shards[0].chunk_shape,
      ArrayWriter::unit_scratch_bytes(layout),
      ArrayWriter::object_scratch_bytes(layout),
      layout.codecs.empty() ? 0 : kEncodeNanoseconds};
}

ChunkTraits array_source_traits(const ArrayLayout& layout) {
  return {layout.chunk_shape,
          layout.chunk_shape,
          layout.chunk_shape,
          ArraySourceReader::unit_scratch_bytes(layout),
          0,
          0};
}

ChunkTraits opaque_traits(const ArrayMetadata& array) {
  return {array.chunks, inner_chunks(array), inner_chunks(array), 0, 0, 0};
}

std::shared_ptr<const RegionReader> make_reader(
    const Stores& stores, const std::string& path, const ArrayMetadata& array,
    const std::vector<DataType::Scalar>& scalars) {
  const auto layout = std::make_shared<const ArrayLayout>(make_layout(array));
  if (const auto found = stores.array_sources.find(path);
      found != stores.array_sources.end())
    return std::make_shared<const ArraySourceReader>(found->second, layout,
                                                     scalars);
  return std::make_shared<const ArrayReader>(stores.source, path, layout,
                                             scalars);
}

}  // namespace

ArrayProblem make_problem(const std::string& name, const ArrayMetadata& source,
                          const ArrayMetadata& target,
                          const ProblemOptions& options) {
  ArrayProblem problem;
  problem.name = name;
  problem.dtype = source.data_type.label();
  problem.shape = source.shape;
  problem.item_bytes = source.data_type.item_bytes;
  problem.same_encoding =
      !options.array_source && same_encoding(source, target);
  if (problem.same_encoding) {
    problem.source = opaque_traits(source);
    problem.target = opaque_traits(target);
  } else {
    const ArrayLayout layout = make_layout(source);
    problem.source = options.array_source ? array_source_traits(layout)
                                          : source_traits(layout);
    problem.target = target_traits(make_layout(target));
  }
  if (options.verify && can_decode(target))
    problem.other_bytes = std::max(digest_bytes(make_layout(source)),
                                   digest_bytes(make_layout(target)));
  return problem;
}

JobRunner::JobRunner(const Plan& plan, const Hierarchy& source,
                     const Hierarchy& target, const Stores& stores,
                     const Options& options) {
  for (std::size_t index = 0; index < plan.arrays.size(); ++index) {
    const StagedCopySpec& spec = plan.arrays[index];
    const ArrayMetadata& from = source.arrays.at(spec.name);
    const ArrayMetadata& to = target.arrays.at(spec.name);
    if (spec.method == Method::kPassthrough) {
      copies_.emplace_back(PassthroughCopy(
          spec, to.chunks, {stores.source, spec.name, from.key_encoding},
          {stores.target, spec.name, to.key_encoding}));
      continue;
    }
    const auto layout = std::make_shared<const ArrayLayout>(make_layout(to));
    const auto reader = make_reader(stores, spec.name, from, layout->scalars);
    const auto writer = std::make_shared<const ArrayWriter>(
        stores.target, spec.name, layout, options.write_empty_chunks);
    copies_.emplace_back(ArrayCopy(
        spec, reader, writer, stores.temp,
        {.temp_prefix = fmt::format("{}", index), .digest = options.verify}));
  }
}

TaskResult JobRunner::run(int array, int stage, std::int64_t task,
                          Arena& arena) {
  if (const auto* copy = std::get_if<ArrayCopy>(&copies_[array]))
    return copy->run(stage, task, arena);
  return std::get<PassthroughCopy>(copies_[array]).run(task, arena);
}

void JobRunner::release(int array, int stage, std::int64_t task) {
  std::get<ArrayCopy>(copies_[array]).release(stage, task);
}

bool JobRunner::has_intermediate(int array, int stage,
                                 std::int64_t task) const {
  return std::get<ArrayCopy>(copies_[array]).has_intermediate(stage, task);
}

}  // namespace rechunk

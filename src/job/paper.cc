// Plans for arrays that need not exist.
#include "rechunk/paper.h"

#include <algorithm>

#include "plan/planner.h"
#include "rechunk/error.h"
#include "request/array_problem.h"
#include "request/target_hierarchy.h"
#include "verify/digest_array.h"
#include "zarr/documents/convert.h"
#include "zarr/documents/with_layout.h"

namespace rechunk {
namespace {

std::string json_list(const Shape& shape) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    text += (axis ? "," : "") + std::to_string(shape[axis]);
  return text + "]";
}

// As users write types: "f4" is "<f4", "u1" is "|u1".
std::string typestr(std::string dtype) {
  if (!dtype.empty() &&
      std::string_view("<>|").find(dtype[0]) == std::string::npos)
    dtype.insert(0, dtype.ends_with("1") && dtype.size() == 2 ? "|" : "<");
  return dtype;
}

// An array of that type, as a fast codec would be used for it.
ArrayMetadata describe(const PaperArray& array, int zarr_format) {
  const ArrayMetadata v2 = parse_array_v2(
      R"({"zarr_format":2,"shape":)" + json_list(array.shape) +
          R"(,"chunks":)" + json_list(array.source_chunks) + R"(,"dtype":")" +
          typestr(array.dtype) +
          R"(","compressor":{"id":"blosc","cname":"lz4","clevel":5,)"
          R"("shuffle":1,"blocksize":0},"filters":null,"fill_value":0,)"
          R"("order":"C"})",
      std::nullopt);
  return zarr_format == 2 ? v2 : convert_format(v2, 3);
}

}  // namespace

Plan plan_on_paper(const PaperArray& array, const Options& asked) {
  const Options options = with_defaults(asked);
  Hierarchy source;
  source.root_is_array = true;
  source.zarr_format = options.zarr_format == 2 ? 2 : 3;
  ArrayMetadata metadata = with_context(
      [&] { return describe(array, source.zarr_format); },
      [&] { return "planning on paper with type " + array.dtype; });
  if (!array.source_shards.empty())
    metadata = with_layout(
        metadata, {array.source_chunks, array.source_shards, std::nullopt});
  source.arrays.emplace("", metadata);
  const Hierarchy target = make_target_hierarchy(source, options);
  const std::vector<ArrayProblem> problems{make_problem(
      "", metadata, target.arrays.at(""),
      {.other_bytes = options.verify
                          ? verification_bytes(metadata, target.arrays.at(""))
                          : 0})};
  Plan plan = make_plan(problems, {options.max_memory, options.threads});
  validate(plan, problems);
  return plan;
}

}  // namespace rechunk

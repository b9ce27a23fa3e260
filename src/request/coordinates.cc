#include "request/coordinates.h"

#include "zarr/documents/encoding.h"

namespace rechunk {

bool is_coordinate(const std::string& path, const ArrayMetadata& array) {
  const auto names = dimension_names_of(array);
  return array.shape.size() == 1 && names.size() == 1 &&
         names[0] == path.substr(path.rfind('/') + 1);
}

std::map<std::string, std::int64_t> lengths_by_dimension(
    const ChunkSpec& spec, const DimensionNames& names,
    const Hierarchy& source) {
  std::map<std::string, std::int64_t> lengths;
  for (const auto& [path, array] : source.arrays) {
    if (is_coordinate(path, array)) continue;
    const ChunkContext context{array.shape, inner_chunks(array),
                               names.of(path, array)};
    const Shape given = explicit_lengths(spec, context);
    for (std::size_t axis = 0; axis < given.size(); ++axis) {
      if (axis >= context.dimension_names.size() || given[axis] == 0) continue;
      const auto [known, is_new] =
          lengths.emplace(context.dimension_names[axis], given[axis]);
      // Arrays differ in this dimension, so the list does not say its length.
      if (known->second != given[axis]) known->second = 0;
    }
  }
  return lengths;
}

}  // namespace rechunk

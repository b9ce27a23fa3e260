// Coordinates: arrays of one axis that have the name of that axis. They are
// one chunk, which has room for elements that will be appended. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "plan/chunk_spec.h"
#include "zarr/documents/dimension_names.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

bool is_coordinate(const std::string& path, const ArrayMetadata& array);

/// The explicit lengths that the spec gives to dimensions of arrays which are
/// no coordinates. 0: one array has another length than the next, so that
/// nothing follows for the coordinate.
std::map<std::string, std::int64_t> lengths_by_dimension(
    const ChunkSpec& spec, const DimensionNames& names,
    const Hierarchy& source);

}  // namespace rechunk

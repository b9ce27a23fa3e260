// Chunks under other keys than their array's metadata says. All readers would
// take such an array for an empty one, without an error.
#pragma once

#include <map>
#include <string>

#include "rechunk/store.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// One object of each array, by path; none of arrays where none was found.
using ObjectsSeen = std::map<std::string, std::string>;

/// Checks a few keys of each array, and lists the array if none of them exists.
/// Throws: corrupt, if no object has a key of the array, but some object has
/// one with another separator; the hint names it.
ObjectsSeen check_chunk_keys(const Store& store, const Hierarchy& hierarchy);

}  // namespace rechunk

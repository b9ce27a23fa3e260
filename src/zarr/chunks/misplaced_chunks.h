// Chunks that lie under other keys than their array's metadata says: without a
// word, all readers take such an array for an empty one.
#pragma once

#include "rechunk/store.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// Looks at a few keys of each array, and lists an array that has none of them.
/// Throws: corrupt, if no object has a key of the array and some has one by
/// another separator; the hint names it.
void check_chunk_keys(const Store& store, const Hierarchy& hierarchy);

}  // namespace rechunk

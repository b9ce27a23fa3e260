// Compares the documents of source and target, and notes what readers may see
// differently; also what zarr-python cannot read of the target. Pure.
#pragma once

#include "rechunk/notes.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// Both hierarchies have the same arrays and groups.
Notes document_notes(const Hierarchy& source, const Hierarchy& target);

}  // namespace rechunk

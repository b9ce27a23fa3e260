// Compares the documents of source and target, and notes what readers may see
// differently. Pure.
#pragma once

#include "rechunk/notes.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// Both hierarchies have the same arrays and groups.
Notes document_notes(const Hierarchy& source, const Hierarchy& target);

}  // namespace rechunk

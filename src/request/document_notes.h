// What readers may see otherwise because documents were written anew: by
// comparing the documents of source and target. Pure.
#pragma once

#include "rechunk/notes.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// Both hierarchies have the same arrays and groups.
Notes document_notes(const Hierarchy& source, const Hierarchy& target);

}  // namespace rechunk

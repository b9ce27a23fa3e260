// What the oldest zarr-python that the Python package supports (pyproject.toml)
// cannot read, though rechunk writes it. Tested with that version.
#pragma once

#include <optional>
#include <string>

#include "zarr/documents/metadata.h"

namespace rechunk {

/// A sentence for people that says what zarr-python cannot read of an array,
/// and up to which version; nothing if it reads all. Codecs do not count. Pure.
std::optional<std::string> unread_by_zarr_python(const ArrayMetadata& array);

}  // namespace rechunk

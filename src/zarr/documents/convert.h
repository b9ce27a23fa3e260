// From v2 to v3 and back. Arrays that xarray opens keep their missing value
// (missing_value.h); others keep their fill value.
#pragma once

#include "zarr/documents/metadata.h"

namespace rechunk {

/// The same array in the other format: types, fill value, codecs, dimension
/// names and attributes mapped. v3 gets its default keys ("c/0/1"), v2 keeps
/// the separator. Members that only one format knows (`extra`) are left out.
/// Throws: unsupported (names the part that the target format cannot express.
/// Remove shards before, with `with_layout`).
ArrayMetadata convert_format(const ArrayMetadata& source, int zarr_format);

/// The same array in a spelling that all readers of its format understand: fill
/// value, data type and codecs.
ArrayMetadata standard_spelling(ArrayMetadata metadata);

}  // namespace rechunk

// From v2 to v3 and back. Arrays that xarray opens keep their missing value
// (missing_value.h); others keep their fill value.
#pragma once

#include "zarr/documents/metadata.h"

namespace rechunk {

/// The same array in the other format: types, fill value, codecs, dimension
/// names and attributes mapped. v3 gets its default keys ("c/0/1"), v2 keeps
/// the separator. Members that only one format knows (`extra`) are left behind.
/// Throws: unsupported (the target format cannot express it; says what. Shards
/// have to go first, by `with_layout`).
ArrayMetadata convert_format(const ArrayMetadata& source, int zarr_format);

/// The same array in the spelling that all readers of its format share: of the
/// fill value, the data type and the codecs, where the source has another one.
ArrayMetadata standard_spelling(ArrayMetadata metadata);

}  // namespace rechunk

// The v2 members for a codec list.
#pragma once

#include "zarr/documents/metadata.h"

namespace rechunk {

/// Sets v2_order_f, v2_filters and v2_compressor from `codecs`. Then sets
/// `codecs` to the codecs that a reader of these members sees. The last bytes
/// -> bytes codec becomes the compressor, those before it filters. Throws:
/// unsupported (v2 has no such codec, sharding or permutation).
void set_v2_codecs(ArrayMetadata& metadata);

}  // namespace rechunk

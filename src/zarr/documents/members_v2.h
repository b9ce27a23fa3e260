// The v2 members that a codec list stands for.
#pragma once

#include "zarr/documents/metadata.h"

namespace rechunk {

/// Sets v2_order_f, v2_filters and v2_compressor from `codecs`, and `codecs` to
/// what a reader of these will see. The last bytes -> bytes codec becomes the
/// compressor, those before it filters. Throws: unsupported (a codec, sharding
/// or permutation that v2 has not).
void set_v2_codecs(ArrayMetadata& metadata);

}  // namespace rechunk

// What codecs cost, for the planner's estimates.
#pragma once

#include "codec/codec.h"
#include "zarr/documents/metadata.h"

namespace rechunk {

/// The cost of all codecs of an array's chunks together (`costs_of`).
CodecCosts codec_costs(const ArrayMetadata& array);

}  // namespace rechunk

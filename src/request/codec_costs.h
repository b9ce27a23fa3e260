// What codecs cost, for the planner's estimates.
#pragma once

#include "zarr/documents/metadata.h"

namespace rechunk {

/// Nanoseconds per decoded byte on one thread, and the size of encoded data.
struct CodecCosts {
  double decode_ns = 0;
  double encode_ns = 0;
  double stored_ratio = 1;  ///< Stored bytes per decoded byte.
};

/// The cost of all codecs of an array's chunks, by name and level. It was
/// measured on floats of medium noise, so for most data it is right within a
/// factor of two.
CodecCosts codec_costs(const ArrayMetadata& array);

}  // namespace rechunk

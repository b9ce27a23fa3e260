// What codecs cost, for the planner's estimates.
#pragma once

#include "zarr/documents/metadata.h"

namespace rechunk {

/// Nanoseconds per decoded byte on one thread, and what becomes of a byte.
struct CodecCosts {
  double decode_ns = 0;
  double encode_ns = 0;
  double stored_ratio = 1;  ///< Stored bytes per decoded byte.
};

/// Of all codecs of an array's chunks, by name and level: measured on floats of
/// medium noise, so right within a factor of two for most data.
CodecCosts codec_costs(const ArrayMetadata& array);

}  // namespace rechunk

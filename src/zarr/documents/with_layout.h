// The metadata of an array with another layout.
#pragma once

#include <optional>
#include <vector>

#include "zarr/documents/metadata.h"

namespace rechunk {

/// The properties of an array, beside its format, that a user may change.
struct LayoutRequest {
  Shape chunks;                 ///< Inner chunks where `shards` is given.
  std::optional<Shape> shards;  ///< Multiples of `chunks`. v3 only.
  /// Bytes -> bytes codecs instead of the source's. Nothing: keep the source's.
  std::optional<std::vector<CodecSpec>> codecs;
};

/// The metadata of the target: `source` (already of the target's format) with
/// another layout. Everything else is carried over; the inner codecs of a
/// sharded source become the target's codecs or inner codecs.
/// Throws: unsupported, invalid_argument.
ArrayMetadata with_layout(const ArrayMetadata& source,
                          const LayoutRequest& request);

}  // namespace rechunk

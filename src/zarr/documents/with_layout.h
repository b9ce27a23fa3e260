// The metadata of an array that is laid out in another way.
#pragma once

#include <optional>
#include <vector>

#include "zarr/documents/metadata.h"

namespace rechunk {

/// What the user may change of an array besides its format.
struct LayoutRequest {
  Shape chunks;                 ///< Inner chunks where `shards` is given.
  std::optional<Shape> shards;  ///< Multiples of `chunks`. v3 only.
  /// Bytes -> bytes codecs that replace the source's; nothing keeps them.
  std::optional<std::vector<CodecSpec>> codecs;
};

/// The metadata of the target: `source` (already of the target's format) with
/// another layout. Everything else is carried over; the inner codecs of a
/// sharded source become the target's codecs or inner codecs.
/// Throws: unsupported, invalid_argument.
ArrayMetadata with_layout(const ArrayMetadata& source,
                          const LayoutRequest& request);

}  // namespace rechunk

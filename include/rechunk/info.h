// What lies at a place. Part: src/job/info.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rechunk/shape.h"
#include "rechunk/store.h"

namespace rechunk {

/// A description of the arrays and groups below a URL.
struct ArrayInfo {
  std::string name;
  int zarr_format = 3;
  Shape shape;
  std::string dtype;
  Shape chunks, shards;    ///< Shards may be empty.
  std::string codecs;      ///< Short text: "blosc(lz4, 5, shuffle)".
  std::string fill_value;  ///< JSON text.
  std::vector<std::string> dimension_names;  ///< Empty if unnamed.
  std::int64_t bytes = 0;         ///< Uncompressed; 0 if the size is not fixed.
  std::int64_t objects = 0;       ///< Chunks or shards that exist.
  std::int64_t stored_bytes = 0;  ///< Size of these objects.
  /// "", or why rechunk cannot find the array's chunks. Then only the name, the
  /// format and the objects are known.
  std::string cause;
};
std::vector<ArrayInfo> info(
    const std::string& url, const StorageOptions& storage = {},
    const std::vector<std::string>& references_below = {});

}  // namespace rechunk

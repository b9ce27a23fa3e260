// What lies at a place. Part: src/job/info.cc.
#pragma once

#include <cstdint>
#include <optional>
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
  std::int64_t bytes = 0;  ///< Uncompressed; 0 if the size is not fixed.
  /// Chunks or shards that exist, and their size; nothing if the store does not
  /// say what it has.
  std::optional<std::int64_t> objects, stored_bytes;
  /// "", or why rechunk cannot find the array's chunks. Then only the name, the
  /// format and the objects are known.
  std::string cause;
};
std::vector<ArrayInfo> info(
    const std::string& url, const StorageOptions& storage = {},
    const std::vector<std::string>& references_below = {});

}  // namespace rechunk

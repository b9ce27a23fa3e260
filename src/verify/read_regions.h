// The boxes in which arrays are read to digest or to compare them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "verify/digest_array.h"
#include "zarr/documents/layout.h"

namespace rechunk {

/// Some whole chunks, within one object, of some MiB: so that the indices of
/// shards are not read again for each chunk.
Shape read_region_shape(const ArrayLayout& layout);

/// Of a block that holds such a box in whole chunks.
std::int64_t block_bytes(const ArrayLayout& layout, const Shape& region);
/// What reading takes beside it.
std::int64_t reader_bytes(const ArrayLayout& layout);

/// With codecs that refuse whatever other readers do.
std::shared_ptr<const ArrayLayout> shared_layout(const StoredArray& array);

/// The boxes of a grid that are to be looked at: all, or a sample.
class ChosenRegions {
 public:
  ChosenRegions(std::int64_t count, const Sample& sample);
  std::int64_t count() const { return count_; }
  /// Number in the grid of the one with that index; they are in its order.
  std::int64_t operator[](std::int64_t index) const {
    return chosen_.empty() ? index : chosen_[static_cast<std::size_t>(index)];
  }

 private:
  std::int64_t count_;
  std::vector<std::int64_t> chosen_;  ///< Empty: all.
};

}  // namespace rechunk

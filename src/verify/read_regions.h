// The boxes in which arrays are read to digest or to compare them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "rechunk/comparison.h"
#include "verify/digest_array.h"
#include "zarr/documents/layout.h"

namespace rechunk {

/// A box of whole chunks of some MiB, in one object, so that the index of a
/// shard is not read again for each chunk.
Shape read_region_shape(const ArrayLayout& layout);

/// Of a block that holds such a box in whole chunks.
std::int64_t block_bytes(const ArrayLayout& layout, const Shape& region);
/// What reading takes beside it.
std::int64_t reader_bytes(const ArrayLayout& layout);

/// With strict codecs: they refuse everything that other readers refuse.
std::shared_ptr<const ArrayLayout> shared_layout(const StoredArray& array);

/// The boxes of a grid that are compared: all, or a sample.
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

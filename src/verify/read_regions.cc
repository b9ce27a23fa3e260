#include "verify/read_regions.h"

#include <algorithm>
#include <random>
#include <set>

#include "zarr/chunks/array_reader.h"

namespace rechunk {
namespace {

// A region has several chunks of one object, so that the index of a shard is
// not read again for each chunk.
constexpr std::int64_t kRegionBytes = 4 << 20;

}  // namespace

std::int64_t block_bytes(const ArrayLayout& layout, const Shape& region) {
  std::int64_t bytes = layout.item_bytes;
  for (std::size_t axis = 0; axis < region.size(); ++axis)
    bytes = checked_multiply(
        bytes,
        checked_multiply(ceil_div(region[axis], layout.chunk_shape[axis]),
                         layout.chunk_shape[axis]));
  return bytes;
}

std::int64_t reader_bytes(const ArrayLayout& layout) {
  return ArrayReader::unit_scratch_bytes(layout) +
         ArrayReader::object_scratch_bytes(layout) + 1024;
}

Shape read_region_shape(const ArrayLayout& layout) {
  Shape region = layout.chunk_shape;
  for (std::size_t axis = region.size(); axis-- > 0;) {
    const std::int64_t most =
        std::min(layout.object_shape[axis],
                 std::max<std::int64_t>(1, layout.shape[axis]));
    while (region[axis] < most) {
      Shape larger = region;
      larger[axis] = region[axis] * 2;
      // A region must not lie in two objects.
      if (layout.object_shape[axis] % larger[axis] != 0 ||
          block_bytes(layout, larger) > kRegionBytes)
        break;
      region = larger;
    }
  }
  return region;
}

std::shared_ptr<const ArrayLayout> shared_layout(const StoredArray& array) {
  ArrayLayout layout = make_layout(array.metadata);
  layout.codecs = layout.codecs.strict();
  return std::make_shared<const ArrayLayout>(std::move(layout));
}

ChosenRegions::ChosenRegions(std::int64_t count, const Sample& sample)
    : count_(count) {
  if (sample.regions == 0 || sample.regions >= count) return;
  count_ = sample.regions;
  // Floyd's algorithm draws different numbers without a list of all numbers.
  std::set<std::int64_t> chosen;
  std::mt19937_64 random(sample.seed);
  for (std::int64_t last = count - sample.regions; last < count; ++last) {
    const auto drawn = static_cast<std::int64_t>(
        random() % (static_cast<std::uint64_t>(last) + 1));
    if (!chosen.insert(drawn).second) chosen.insert(last);
  }
  chosen_.assign(chosen.begin(), chosen.end());
}

}  // namespace rechunk

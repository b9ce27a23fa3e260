#include "zarr/chunks/raw_parts.h"

#include <algorithm>

namespace rechunk {
namespace {

// A gap shorter than this is read rather than skipped.
constexpr std::int64_t kShortGapBytes = 512;

// `wanted`, grown along inner axes over gaps that are too short to skip.
Region grown(const RawChunk& chunk, const Region& wanted) {
  Region box = wanted;
  std::int64_t bytes = chunk.item_bytes;
  for (std::size_t place = chunk.axis_order.size(); place-- > 0;) {
    const int axis = chunk.axis_order[place];
    const std::int64_t extent = wanted.stop[axis] - wanted.start[axis];
    const std::int64_t gap = (chunk.shape[axis] - extent) * bytes;
    // Longer gaps are read, too, if they add at most an eighth. Behind any
    // other gap, the rows of outer axes are apart, whatever is read.
    if (gap > kShortGapBytes && gap > extent * bytes / 8) break;
    box.start[axis] = chunk.region.start[axis];
    box.stop[axis] = box.start[axis] + chunk.shape[axis];
    bytes *= chunk.shape[axis];
  }
  return box;
}

// Cuts a box into slabs: along one axis, and into single steps of those
// outside of it.
class Slabs {
 public:
  Slabs(const RawChunk& chunk, const Region& wanted)
      : chunk_(chunk), wanted_(wanted), box_(grown(chunk, wanted)) {
    std::int64_t stride = chunk.item_bytes, bytes = chunk.item_bytes;
    strides_.resize(chunk.shape.size());
    bool whole = true;  // No gap so far.
    slab_.run_bytes = chunk.item_bytes;
    for (std::size_t place = chunk.axis_order.size(); place-- > 0;) {
      const int axis = chunk.axis_order[place];
      const std::int64_t extent = box_.stop[axis] - box_.start[axis];
      strides_[axis] = stride;
      stride *= chunk.shape[axis];
      // The cut is along the outermost axis of which one step fits into a slab.
      if (bytes <= kSlabBytes || place + 1 == chunk.axis_order.size()) {
        cut_ = place;
        step_ = std::clamp<std::int64_t>(kSlabBytes / bytes, 1, extent);
      }
      if (whole) run_place_ = place;
      bytes *= extent;
      whole = whole && extent == chunk.shape[axis];
    }
  }

  void visit_all(const std::function<void(const Slab&)>& visit) {
    slab_.box = box_;
    visit_from(0, visit);
  }

 private:
  // Fixes the axes outside of the cut one after the other.
  void visit_from(std::size_t place,
                  const std::function<void(const Slab&)>& visit) {
    if (chunk_.axis_order.empty()) return visit_slab(visit);
    const int axis = chunk_.axis_order[place];
    const std::int64_t step = place < cut_ ? 1 : step_;
    for (std::int64_t at = box_.start[axis]; at < box_.stop[axis]; at += step) {
      slab_.box.start[axis] = at;
      slab_.box.stop[axis] = std::min(at + step, box_.stop[axis]);
      if (place < cut_)
        visit_from(place + 1, visit);
      else
        visit_slab(visit);
    }
  }

  void visit_slab(const std::function<void(const Slab&)>& visit) {
    slab_.part = intersect(slab_.box, wanted_);
    // The box has grown, so some slabs hold nothing that is wanted.
    if (slab_.part.empty()) return;
    std::int64_t first = 0;
    for (std::size_t axis = 0; axis < strides_.size(); ++axis)
      first +=
          (slab_.box.start[axis] - chunk_.region.start[axis]) * strides_[axis];
    slab_.run_bytes = run_bytes();
    slab_.runs.clear();
    add_runs(cut_, first);
    visit(slab_);
  }

  // From some axis inwards, elements of a slab are neighbours in the object.
  // That is the cut axis, or an inner one if there are gaps.
  std::int64_t run_bytes() const {
    const std::size_t from = std::max(run_place_, cut_);
    std::int64_t bytes = chunk_.item_bytes;
    for (std::size_t place = from; place < strides_.size(); ++place) {
      const int axis = chunk_.axis_order[place];
      bytes *= slab_.box.stop[axis] - slab_.box.start[axis];
    }
    return bytes;
  }

  // The runs of a slab: one for each step of the axes between the cut and the
  // axis whose elements lie together.
  void add_runs(std::size_t place, std::int64_t first) {
    if (place >= run_place_) {
      slab_.runs.push_back(first);
      return;
    }
    const int axis = chunk_.axis_order[place];
    for (std::int64_t at = slab_.box.start[axis]; at < slab_.box.stop[axis];
         ++at, first += strides_[axis])
      add_runs(place + 1, first);
  }

  const RawChunk& chunk_;
  const Region& wanted_;
  const Region box_;
  Shape strides_;
  std::size_t cut_ = 0;        // Place of the axis that slabs are cut along,
  std::int64_t step_ = 1;      // and elements of it in each.
  std::size_t run_place_ = 0;  // Place of the outermost axis within a run.
  Slab slab_;
};

}  // namespace

std::int64_t slab_bytes(const RawChunk& chunk) {
  std::int64_t bytes = chunk.item_bytes;
  for (const std::int64_t length : chunk.shape)
    // Divided, because the product could overflow.
    bytes = length > kSlabBytes / bytes ? kSlabBytes : bytes * length;
  return std::max(bytes, chunk.item_bytes);
}

void for_each_slab(const RawChunk& chunk, const Region& wanted,
                   const std::function<void(const Slab&)>& visit) {
  if (!wanted.empty()) Slabs(chunk, wanted).visit_all(visit);
}

}  // namespace rechunk

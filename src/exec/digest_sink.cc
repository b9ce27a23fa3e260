#include "exec/digest_sink.h"

#include <algorithm>
#include <utility>

#include "base/strided_copy.h"

namespace rechunk {

std::vector<DigestScalar> digest_scalars(
    const std::vector<DataType::Scalar>& scalars) {
  std::vector<DigestScalar> result;
  for (const DataType::Scalar& scalar : scalars)
    result.push_back({scalar.bytes, scalar.swappable && scalar.big_endian});
  return result;
}

Digest total(const std::vector<Digest>& digests) {
  Digest total;
  for (const Digest& digest : digests) total += digest;
  return total;
}

Grid whole_grid(const Shape& shape) {
  Shape cell = shape;
  // A grid has no cells of length 0, and an array may be empty.
  for (std::int64_t& length : cell) length = std::max<std::int64_t>(1, length);
  return {shape, cell};
}

DigestSink::DigestSink(std::vector<DigestScalar> scalars, Grid cells,
                       RegionSink* next, Shape origin)
    : scalars_(std::move(scalars)),
      cells_(std::move(cells)),
      next_(next),
      origin_(origin.empty() ? Shape(cells_.shape().size(), 0)
                             : std::move(origin)),
      digests_(static_cast<std::size_t>(cells_.cell_count())) {}

std::byte* DigestSink::place(const Region& part,
                             const std::vector<int>& axis_order) {
  return next_ ? next_->place(part, axis_order) : nullptr;
}

void DigestSink::put(const Region& part, const std::byte* data,
                     const Shape& strides) {
  add(part, data, strides);
  if (next_) next_->put(part, data, strides);
}

void DigestSink::put_fill(const Region& part,
                          std::span<const std::byte> element) {
  // Strides of 0 repeat the one element.
  add(part, element.data(), Shape(part.start.size(), 0));
  if (next_) next_->put_fill(part, element);
}

std::span<std::byte> DigestSink::spare(const Region& region,
                                       std::int64_t bytes) {
  return next_ ? next_->spare(region, bytes) : std::span<std::byte>();
}

void DigestSink::add(const Region& whole_part, const std::byte* data,
                     const Shape& strides) {
  Region part = whole_part;
  for (std::size_t axis = 0; axis < origin_.size(); ++axis) {
    part.start[axis] -= origin_[axis];
    part.stop[axis] -= origin_[axis];
  }
  // Elements before the origin or behind the grid do not count.
  const Region counted = intersect(part, whole(cells_.shape()));
  if (counted.empty()) return;
  for_each_point(cells_.cells_touching(counted), [&](const Shape& cell) {
    const Region shared = intersect(cells_.cell(cell), counted);
    const Digest digest =
        digest_box(scalars_, cells_.shape(), shared.start, shared.extent(),
                   byte_at(data, part, shared, strides), strides);
    const std::lock_guard lock(mutex_);
    digests_[static_cast<std::size_t>(cells_.index(cell))] += digest;
  });
}

namespace {

Shape behind(const Shape& shape, const Kept& kept) {
  Shape origin(shape.size(), 0);
  if (kept.length > 0) origin[kept.axis] = kept.length;
  return origin;
}

}  // namespace

KeptDigestSink::KeptDigestSink(const std::vector<DigestScalar>& scalars,
                               const Shape& shape, const Kept& kept,
                               RegionSink* next)
    : added_(scalars, whole_grid(kept.added(shape)), next,
             behind(shape, kept)) {
  if (kept.length > 0)
    // `added_` gets these parts, too. They lie outside its grid, so it only
    // passes them on.
    kept_.emplace(scalars, whole_grid(kept.region(shape).extent()), &added_);
}

Digest KeptDigestSink::kept() const {
  return kept_ ? total(kept_->digests()) : Digest{};
}

Digest KeptDigestSink::added() const { return total(added_.digests()); }

}  // namespace rechunk

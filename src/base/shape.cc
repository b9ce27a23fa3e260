#include "rechunk/shape.h"

#include <algorithm>
#include <utility>

#include "rechunk/error.h"

namespace rechunk {

Shape Region::extent() const {
  Shape extent(start.size());
  for (std::size_t axis = 0; axis < start.size(); ++axis)
    extent[axis] = stop[axis] - start[axis];
  return extent;
}

bool Region::empty() const {
  for (std::size_t axis = 0; axis < start.size(); ++axis)
    if (start[axis] >= stop[axis]) return true;
  return false;
}

bool Region::contains(const Region& other) const {
  for (std::size_t axis = 0; axis < start.size(); ++axis)
    if (other.start[axis] < start[axis] || other.stop[axis] > stop[axis])
      return false;
  return true;
}

Region whole(const Shape& shape) { return {Shape(shape.size(), 0), shape}; }

Region intersect(const Region& a, const Region& b) {
  Region shared = a;
  for (std::size_t axis = 0; axis < a.start.size(); ++axis) {
    shared.start[axis] = std::max(a.start[axis], b.start[axis]);
    shared.stop[axis] =
        std::max(shared.start[axis], std::min(a.stop[axis], b.stop[axis]));
  }
  return shared;
}

Region clipped_box(const Shape& start, const Shape& extent,
                   const Shape& shape) {
  Region box{start, start};
  // Not start + extent: a chunk may be longer than 2^63 less its start.
  for (std::size_t axis = 0; axis < start.size(); ++axis)
    box.stop[axis] = shape[axis] - start[axis] < extent[axis]
                         ? shape[axis]
                         : start[axis] + extent[axis];
  return box;
}

Region boxes_touching(const Region& region, const Shape& origin,
                      const Shape& box_shape) {
  Region boxes = region;
  for (std::size_t axis = 0; axis < origin.size(); ++axis) {
    boxes.start[axis] = (region.start[axis] - origin[axis]) / box_shape[axis];
    // An empty region touches no box, wherever it lies.
    boxes.stop[axis] =
        region.start[axis] < region.stop[axis]
            ? ceil_div(region.stop[axis] - origin[axis], box_shape[axis])
            : boxes.start[axis];
  }
  return boxes;
}

std::int64_t checked_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product))
    throw Error(ErrorKind::kInvalidArgument, "a size of " + std::to_string(a) +
                                                 " x " + std::to_string(b) +
                                                 " does not fit 63 bits");
  return product;
}

std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (a < 0 || b < 0 || __builtin_add_overflow(a, b, &sum))
    throw Error(ErrorKind::kInvalidArgument, "a size of " + std::to_string(a) +
                                                 " + " + std::to_string(b) +
                                                 " does not fit 63 bits");
  return sum;
}

std::int64_t element_count(const Shape& shape) {
  // A zero anywhere makes the product 0, whatever the other lengths are.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::int64_t count = 1;
  for (std::int64_t length : shape) count = checked_multiply(count, length);
  return count;
}

std::int64_t element_count(const Region& region) {
  return element_count(region.extent());
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    text += (axis ? ", " : "") + std::to_string(shape[axis]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

Grid::Grid(Shape shape, Shape cell_shape)
    : shape_(std::move(shape)), cell_shape_(std::move(cell_shape)) {
  counts_.resize(shape_.size());
  for (std::size_t axis = 0; axis < shape_.size(); ++axis)
    counts_[axis] = ceil_div(shape_[axis], cell_shape_[axis]);
  cell_count_ = element_count(counts_);
}

Shape Grid::coordinates(std::int64_t index) const {
  Shape coordinates(counts_.size());
  for (std::size_t axis = counts_.size(); axis-- > 0;) {
    coordinates[axis] = index % counts_[axis];
    index /= counts_[axis];
  }
  return coordinates;
}

std::int64_t Grid::index(const Shape& coordinates) const {
  std::int64_t index = 0;
  for (std::size_t axis = 0; axis < counts_.size(); ++axis)
    index = index * counts_[axis] + coordinates[axis];
  return index;
}

Region Grid::cell(const Shape& coordinates) const {
  Shape start = coordinates;
  for (std::size_t axis = 0; axis < shape_.size(); ++axis)
    start[axis] *= cell_shape_[axis];
  return clipped_box(start, cell_shape_, shape_);
}

Region Grid::cell(std::int64_t index) const { return cell(coordinates(index)); }

Region Grid::cells_touching(const Region& region) const {
  return boxes_touching(region, Shape(shape_.size(), 0), cell_shape_);
}

Shape element_at(const Shape& origin, const Shape& coordinates,
                 const Shape& box_shape) {
  Shape start = origin;
  for (std::size_t axis = 0; axis < start.size(); ++axis)
    start[axis] += coordinates[axis] * box_shape[axis];
  return start;
}

}  // namespace rechunk

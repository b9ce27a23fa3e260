// Shapes, regions and regular grids: integer geometry in any number of
// dimensions, also 0. Lengths are counted in elements. Plain values, no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rechunk {

/// One length, coordinate or stride per dimension.
using Shape = std::vector<std::int64_t>;

/// A box of elements: `start[d] <= x[d] < stop[d]` in each dimension.
struct Region {
  Shape start;
  Shape stop;

  int rank() const { return static_cast<int>(start.size()); }
  Shape extent() const;  ///< stop - start, per dimension.
  bool empty() const;  ///< True if some extent is 0; a 0-d region is not empty.
  bool contains(const Region& other) const;
  friend bool operator==(const Region&, const Region&) = default;
};

/// The region of a whole array.
Region whole(const Shape& shape);

/// The common part. If there is none, it is empty (start == stop on an axis).
Region intersect(const Region& a, const Region& b);

/// The box of `extent` that begins at `start`, clipped to `shape`.
Region clipped_box(const Shape& start, const Shape& extent, const Shape& shape);

/// A grid of boxes begins at `origin`. The coordinates of the boxes that
/// `region` touches, as a box. Requires: region.start >= origin.
Region boxes_touching(const Region& region, const Shape& origin,
                      const Shape& box_shape);

/// Product of all entries; 1 for rank 0.
/// Throws: invalid_argument if it does not fit a signed 64-bit integer or an
/// entry is negative.
std::int64_t element_count(const Shape& shape);
std::int64_t element_count(const Region& region);

/// `a * b` and `a + b` of non-negative numbers. Throws: invalid_argument on
/// overflow.
std::int64_t checked_multiply(std::int64_t a, std::int64_t b);
std::int64_t checked_add(std::int64_t a, std::int64_t b);

/// Smallest integer >= a / b, for a >= 0 and b >= 1.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return a / b + (a % b != 0);
}

/// "(2000, 361, 720)"; "()" for rank 0.
std::string to_string(const Shape& shape);

/// Cells of one shape that tile an array, the last in each dimension clipped.
/// Numbers cells in row-major order of their coordinates.
class Grid {
 public:
  Grid() = default;
  /// Requires: equal ranks, every cell length >= 1, every length >= 0.
  Grid(Shape shape, Shape cell_shape);

  const Shape& shape() const { return shape_; }
  const Shape& cell_shape() const { return cell_shape_; }
  const Shape& counts() const { return counts_; }  ///< Cells per dimension.
  std::int64_t cell_count() const { return cell_count_; }

  Shape coordinates(std::int64_t index) const;
  std::int64_t index(const Shape& coordinates) const;
  Region cell(const Shape& coordinates) const;  ///< Clipped to the array.
  Region cell(std::int64_t index) const;

  /// Coordinates of the cells that `region` touches, as a box of cells.
  Region cells_touching(const Region& region) const;

 private:
  Shape shape_, cell_shape_, counts_;
  std::int64_t cell_count_ = 0;
};

/// The first element of the box with these coordinates, of boxes of that shape
/// that begin at `origin`.
Shape element_at(const Shape& origin, const Shape& coordinates,
                 const Shape& box_shape);

/// Calls `visit(coordinates)` for each point of the box in row-major order;
/// once with an empty vector for rank 0, never for an empty box.
template <class Visit>
void for_each_point(const Region& box, Visit&& visit) {
  if (box.empty()) return;
  Shape point = box.start;
  for (;;) {
    visit(static_cast<const Shape&>(point));
    int axis = box.rank() - 1;
    while (axis >= 0 && ++point[axis] == box.stop[axis]) {
      point[axis] = box.start[axis];
      --axis;
    }
    if (axis < 0) return;
  }
}

}  // namespace rechunk

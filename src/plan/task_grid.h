// Numbers the tasks of a stage so that the tasks of a component follow each
// other. Pure.
#pragma once

#include "rechunk/shape.h"

namespace rechunk {

/// Elements of `region` that lie in the cells before `cell`, when the cells of
/// that shape are taken in row-major order and each is emptied before the
/// next. This one sum numbers tasks by component and places pieces in packed
/// objects (DESIGN.md, "Cells in order").
/// `cell` is one of the cells that `region` touches.
std::int64_t elements_before(const Region& region, const Shape& cell_shape,
                             const Shape& cell);

/// One axis of a region, and of a cell that it touches as far as both share it.
struct SharedAxis {
  std::int64_t start, stop;  ///< The region's.
  std::int64_t from, to;     ///< The cell's, clipped.
};

/// The same, where `shared(axis)` gives a SharedAxis: nothing is allocated.
template <class Shared>
std::int64_t elements_before(std::size_t rank, Shared&& shared) {
  std::int64_t before = 0;
  std::int64_t within = 1;  // Product of the cell's extents so far.
  std::int64_t rest = 1;  // Product of the region's extents from this axis on.
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const SharedAxis at = shared(axis);
    rest *= at.stop - at.start;
  }
  if (rest == 0) return 0;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const SharedAxis at = shared(axis);
    rest /= at.stop - at.start;
    before += within * (at.from - at.start) * rest;
    within *= at.to - at.from;
  }
  return before;
}

/// The cells of Grid(shape, chunks), numbered component by component.
///
/// A component is a multiple of `chunks` or the array's length in each axis, so
/// that no task lies in two.
class TaskGrid {
 public:
  TaskGrid(const Shape& shape, const Shape& component, const Shape& chunks);

  std::int64_t task_count() const { return tasks_.cell_count(); }
  std::int64_t component_count() const { return components_.cell_count(); }

  /// Number of the first task of a component; task_count() for the component
  /// after the last.
  std::int64_t first_task(std::int64_t component) const;

  /// Elements of a task; and its coordinates in the grid of tasks.
  Region task(std::int64_t index) const {
    return tasks_.cell(coordinates(index));
  }
  Shape coordinates(std::int64_t index) const;

  /// Inverse of `coordinates`.
  std::int64_t index(const Shape& coordinates) const;

 private:
  Grid tasks_;
  Shape tasks_per_component_;
  Grid components_;  ///< Its elements are tasks.
};

}  // namespace rechunk

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

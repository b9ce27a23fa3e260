#include "plan/task_grid.h"

#include <algorithm>

namespace rechunk {
namespace {

Shape tasks_per_component(const Shape& shape, const Shape& component,
                          const Shape& chunks) {
  Shape tasks(shape.size());
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    tasks[axis] =
        // The length of a whole axis need not be a multiple of the tasks'
        // length.
        component[axis] >= shape[axis]
            ? std::max<std::int64_t>(1, ceil_div(shape[axis], chunks[axis]))
            : component[axis] / chunks[axis];
  return tasks;
}

}  // namespace

std::int64_t elements_before(const Region& region, const Shape& cell_shape,
                             const Shape& cell) {
  return elements_before(cell.size(), [&](std::size_t axis) {
    const std::int64_t start = region.start[axis], stop = region.stop[axis];
    const std::int64_t cell_start = cell[axis] * cell_shape[axis];
    return SharedAxis{start, stop, std::max(start, cell_start),
                      std::min(stop, cell_start + cell_shape[axis])};
  });
}

TaskGrid::TaskGrid(const Shape& shape, const Shape& component,
                   const Shape& chunks)
    : tasks_(shape, chunks),
      tasks_per_component_(tasks_per_component(shape, component, chunks)),
      components_(tasks_.counts(), tasks_per_component_) {}

std::int64_t TaskGrid::first_task(std::int64_t component) const {
  if (component >= component_count()) return task_count();
  return elements_before(whole(tasks_.counts()), tasks_per_component_,
                         components_.coordinates(component));
}

Shape TaskGrid::coordinates(std::int64_t index) const {
  const Shape& counts = tasks_.counts();
  const std::size_t rank = counts.size();
  Shape start(rank), extent(rank);
  std::int64_t within = 1;  // Tasks per step of all later, whole axes.
  std::int64_t rest = task_count();
  for (std::size_t axis = 0; axis < rank; ++axis) {
    // Undoes `elements_before`: how many whole components lie before the task
    // on this axis.
    rest /= counts[axis];
    const std::int64_t full = within * tasks_per_component_[axis] * rest;
    const std::int64_t component = index / full;
    index -= component * full;
    start[axis] = component * tasks_per_component_[axis];
    extent[axis] =
        std::min(tasks_per_component_[axis], counts[axis] - start[axis]);
    within *= extent[axis];
  }
  for (std::size_t axis = rank; axis-- > 0;) {
    start[axis] += index % extent[axis];
    index /= extent[axis];
  }
  return start;
}

std::int64_t TaskGrid::index(const Shape& coordinates) const {
  Shape component(coordinates.size());
  for (std::size_t axis = 0; axis < coordinates.size(); ++axis)
    component[axis] = coordinates[axis] / tasks_per_component_[axis];
  const Region box = components_.cell(component);
  std::int64_t local = 0;
  for (std::size_t axis = 0; axis < coordinates.size(); ++axis)
    local = local * (box.stop[axis] - box.start[axis]) +
            (coordinates[axis] - box.start[axis]);
  return elements_before(whole(tasks_.counts()), tasks_per_component_,
                         component) +
         local;
}

}  // namespace rechunk

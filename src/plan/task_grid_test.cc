#include "plan/task_grid.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace rechunk {
namespace {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

struct Case {
  Shape shape, component, chunks;
};

// Components are multiples of the chunks, or reach over the whole axis.
Case random_case(Random& random) {
  Case one;
  for (std::int64_t axis = pick(random, 0, 4); axis > 0; --axis) {
    const std::int64_t length = pick(random, pick(random, 0, 20) ? 1 : 0, 13);
    const std::int64_t chunk = pick(random, 1, 6);
    one.shape.push_back(length);
    one.chunks.push_back(chunk);
    one.component.push_back(pick(random, 0, 2)
                                ? chunk * pick(random, 1, 4)
                                : std::max<std::int64_t>(1, length));
  }
  return one;
}

TEST(TaskGrid, NumbersTasksComponentByComponent) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Case one = random_case(random);
    const TaskGrid tasks(one.shape, one.component, one.chunks);
    const Grid grid(one.shape, one.chunks);
    const Grid components(one.shape, one.component);
    ASSERT_EQ(tasks.task_count(), grid.cell_count());
    ASSERT_EQ(tasks.component_count(), components.cell_count());
    std::int64_t expected = 0;
    std::set<Shape> seen;
    for (std::int64_t component = 0; component < components.cell_count();
         ++component) {
      ASSERT_EQ(tasks.first_task(component), expected);
      const Region box = components.cell(component);
      for_each_point(grid.cells_touching(box), [&](const Shape& task) {
        ASSERT_EQ(tasks.coordinates(expected), task);
        ASSERT_EQ(tasks.index(task), expected);
        ASSERT_EQ(tasks.task(expected), grid.cell(task));
        ASSERT_TRUE(box.contains(tasks.task(expected)));
        ASSERT_TRUE(seen.insert(task).second);
        ++expected;
      });
    }
    ASSERT_EQ(tasks.first_task(components.cell_count()), expected);
    ASSERT_EQ(expected, grid.cell_count());
  }
}

TEST(ElementsBefore, CountsWhatLiesInEarlierCells) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Region region;
    Shape cell_shape, shape;
    for (std::int64_t axis = pick(random, 0, 4); axis > 0; --axis) {
      region.start.push_back(pick(random, 0, 9));
      region.stop.push_back(region.start.back() + pick(random, 1, 9));
      cell_shape.push_back(pick(random, 1, 7));
      shape.push_back(30);
    }
    const Grid cells(shape, cell_shape);
    std::int64_t before = 0;
    for_each_point(cells.cells_touching(region), [&](const Shape& cell) {
      ASSERT_EQ(elements_before(region, cell_shape, cell), before);
      before += element_count(intersect(region, cells.cell(cell)));
    });
    ASSERT_EQ(before, element_count(region));
  }
}

TEST(ElementsBefore, IsTheExampleOfTheDesign) {
  EXPECT_EQ(elements_before(whole({5, 4}), {2, 3}, {1, 1}), 14);
}

}  // namespace
}  // namespace rechunk

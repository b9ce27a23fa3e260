#include "plan/staging.h"

#include <algorithm>
#include <limits>

#include "plan/cost.h"
#include "plan/geometry.h"
#include "plan/refine.h"

namespace rechunk {
namespace {

constexpr std::int64_t kSmallTaskBytes = 2 << 20;
// Blocks are large enough when a larger one would save less than this.
constexpr double kEnoughShare = 0.01;
constexpr int kRounds = 6;  // Of the local search, at most.

// A shard may be written block by block if each source unit lies in one shard.
bool can_stream(const ArrayProblem& array, const Grids& grids) {
  for (std::size_t axis = 0; axis < array.shape.size(); ++axis)
    if (grids.object[axis] < array.shape[axis] &&
        grids.object[axis] % grids.source[axis] != 0)
      return false;
  return true;
}

// If components are small, a task takes several of them.
Shape group_components(const ArrayProblem& array, Shape task,
                       std::int64_t task_bytes, int threads) {
  const std::int64_t wanted_tasks = kTasksPerThread * threads;
  for (std::size_t axis = task.size(); axis-- > 0;) {
    while (task[axis] < array.shape[axis]) {
      Shape larger = task;
      larger[axis] = std::min(array.shape[axis], task[axis] * 2);
      if (bytes_in(array, larger) > static_cast<double>(kSmallTaskBytes) ||
          direct_bytes(array, larger) > task_bytes ||
          Grid(array.shape, larger).cell_count() < wanted_tasks)
        return task;
      task = larger;
    }
  }
  return task;
}

// Blocks of a direct copy: whole components of source units and target
// objects, or, streamed, of source units and target units within an object.
struct DirectShapes {
  Shape task, block;
};

std::vector<DirectShapes> direct_shapes(const ArrayProblem& array) {
  const Grids grids = clipped_grids(array);
  const Shape component = lcm_box(grids.source, grids.object, array.shape);
  std::vector<DirectShapes> shapes{{component, component}};
  if (can_stream(array, grids)) {
    const Shape block = lcm_box(grids.source, grids.unit, array.shape);
    if (block != component && covers(grids.object, block))
      shapes.push_back({grids.object, block});
  }
  return shapes;
}

// Grows a block from one unit on. Each step takes the growth that saves most
// reading for its memory.
class BlockSearch {
 public:
  BlockSearch(const ArrayProblem& array, std::int64_t task_bytes, int threads)
      : array_(array),
        task_bytes_(task_bytes),
        threads_(threads),
        grids_(clipped_grids(array)) {
    for (std::size_t axis = 0; axis < array.shape.size(); ++axis)
      lengths_.push_back(
          block_lengths(array, clip(array.shape, array.shape), axis));
  }

  std::optional<Shape> run() {
    block_ = grids_.unit;
    if (!fits(block_)) return std::nullopt;
    while (grow()) {
    }
    turn_dials();
    const Shape grown = block_;
    // A second start: as long as possible, the last axes first.
    block_ = grids_.unit;
    for (std::size_t axis = block_.size(); axis-- > 0;) lengthen(axis);
    turn_dials();
    return cost(block_) < cost(grown) ? block_ : grown;
  }

 private:
  bool fits(const Shape& block) const {
    return is_block(block, grids_.object) &&
           direct_bytes(array_, block) <= task_bytes_;
  }

  double cost(const Shape& block) const {
    return source_read_cost(array_, block) +
           memory_cost(direct_bytes(array_, block), threads_);
  }

  bool grow() {
    const double now = cost(block_);
    double best = 0;
    Shape grown = block_;
    for (std::size_t axis = 0; axis < block_.size(); ++axis) {
      for (const std::int64_t length : lengths_[axis]) {
        if (length <= block_[axis]) continue;
        Shape larger = block_;
        larger[axis] = length;
        if (!fits(larger)) continue;
        const double saved = now - cost(larger);
        if (saved < kEnoughShare * now) continue;
        const double score =
            saved / (bytes_in(array_, larger) - bytes_in(array_, block_));
        if (score > best) best = score, grown = larger;
      }
    }
    block_ = grown;
    return best > 0;
  }

  void lengthen(std::size_t axis) {
    for (const std::int64_t length : lengths_[axis]) {
      Shape longer = block_;
      longer[axis] = length;
      // Goes on if one does not fit. Some lengths make no block, and longer
      // ones do.
      if (fits(longer)) block_ = longer;
    }
  }

  // The best block may not lie on the way that growing takes.
  void turn_dials() {
    std::vector<Dial> dials;
    for (std::size_t axis = 0; axis < block_.size(); ++axis)
      dials.push_back(dial(lengths_[axis], block_[axis]));
    const auto block_at = [](const std::vector<Dial>& at) {
      Shape block;
      for (const Dial& one : at) block.push_back(one.length());
      return block;
    };
    refine(dials, kRounds, kEnoughSaved, [&](const std::vector<Dial>& at) {
      const Shape block = block_at(at);
      return fits(block) ? cost(block)
                         : std::numeric_limits<double>::infinity();
    });
    block_ = block_at(dials);
  }

  const ArrayProblem& array_;
  const std::int64_t task_bytes_;
  const int threads_;
  const Grids grids_;
  std::vector<std::vector<std::int64_t>> lengths_;
  Shape block_;
};

}  // namespace

Grids clipped_grids(const ArrayProblem& array) {
  return {clip(array.source.units, array.shape),
          clip(array.target.objects, array.shape),
          clip(array.target.units, array.shape)};
}

Shape lcm_box(const Shape& a, const Shape& b, const Shape& shape) {
  Shape box(shape.size());
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    box[axis] =
        lcm_up_to(a[axis], b[axis], std::max<std::int64_t>(1, shape[axis]));
  return box;
}

double bytes_in(const ArrayProblem& array, const Shape& box) {
  double bytes = static_cast<double>(array.item_bytes);
  for (std::size_t axis = 0; axis < box.size(); ++axis)
    bytes *= static_cast<double>(std::min(box[axis], array.shape[axis]));
  return bytes;
}

bool covers(const Shape& a, const Shape& b) {
  for (std::size_t axis = 0; axis < a.size(); ++axis)
    if (a[axis] < b[axis]) return false;
  return true;
}

bool is_block(const Shape& block, const Shape& object) {
  return covers(block, object) || covers(object, block);
}

std::vector<std::int64_t> block_lengths(const ArrayProblem& array,
                                        const Shape& component,
                                        std::size_t axis) {
  const Grids grids = clipped_grids(array);
  const std::int64_t object = grids.object[axis], unit = grids.unit[axis];
  std::vector<std::int64_t> lengths;
  for (std::int64_t length : cell_lengths(object, unit, object))
    if (length < object && object % length == 0) lengths.push_back(length);
  for (std::int64_t length :
       cell_lengths(array.shape[axis], object, component[axis]))
    lengths.push_back(length);
  return lengths;
}

std::optional<Staging> stage_direct(const ArrayProblem& array,
                                    std::int64_t task_bytes, int threads) {
  for (DirectShapes shapes : direct_shapes(array)) {
    if (direct_bytes(array, shapes.block) > task_bytes) continue;
    if (shapes.task == shapes.block)
      shapes.task = shapes.block =
          group_components(array, shapes.task, task_bytes, threads);
    return Staging{Method::kDirect,
                   clip(array.shape, array.shape),
                   {shapes.task},
                   shapes.block};
  }
  return std::nullopt;
}

std::optional<Staging> stage_rereading(const ArrayProblem& array,
                                       std::int64_t task_bytes, int threads) {
  const auto block = BlockSearch(array, task_bytes, threads).run();
  if (!block) return std::nullopt;
  const Shape object = clip(array.target.objects, array.shape);
  return Staging{Method::kDirect,
                 clip(array.shape, array.shape),
                 // A task writes whole objects, if need be block by block.
                 {covers(*block, object) ? *block : object},
                 *block};
}

std::int64_t smallest_task_bytes(const ArrayProblem& array) {
  const Grids grids = clipped_grids(array);
  std::int64_t smallest = direct_bytes(array, grids.unit);
  smallest = std::min(
      smallest,
      std::max(read_to_packed_bytes(array, grids.source, false),
               packed_to_target_bytes(array, grids.source, grids.unit, false)));
  for (const DirectShapes& shapes : direct_shapes(array))
    smallest = std::min(smallest, direct_bytes(array, shapes.block));
  return smallest;
}

}  // namespace rechunk

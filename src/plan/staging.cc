#include "plan/staging.h"

#include <algorithm>
#include <cmath>

#include "plan/geometry.h"

namespace rechunk {
namespace {

// Costs on a local disk, in nanoseconds; measured orders of magnitude. They
// rank plans, they do not predict times.
constexpr double kRangeCost = 8000;    // One ranged read of a packed object.
constexpr double kPieceCost = 100;     // One scattered piece of a range.
constexpr double kPassByteCost = 0.7;  // Writing and reading back one byte.
constexpr double kTaskCost = 20000;
constexpr int kMaxIntermediates = 6;
constexpr std::int64_t kSmallTaskBytes = 2 << 20;

struct Grids {
  Shape source;  // Units of the source, clipped to the array.
  Shape object;  // Objects of the target.
  Shape unit;    // What is appended to a target object at a time.
};

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

// A shard may be written block by block where each source unit lies in one.
bool can_stream(const ArrayProblem& array, const Grids& grids) {
  for (std::size_t axis = 0; axis < array.shape.size(); ++axis)
    if (grids.object[axis] < array.shape[axis] &&
        grids.object[axis] % grids.source[axis] != 0)
      return false;
  return true;
}

bool covers(const Shape& a, const Shape& b) {
  for (std::size_t axis = 0; axis < a.size(); ++axis)
    if (a[axis] < b[axis]) return false;
  return true;
}

// Tasks of a few components each, where one is too small to be worth a task.
Shape group_components(const ArrayProblem& array, Shape task,
                       std::int64_t task_bytes, int threads) {
  const std::int64_t wanted_tasks = 8LL * threads;
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

// The search for first and last task shapes of a packed staging.
class PackedSearch {
 public:
  PackedSearch(const ArrayProblem& array, std::int64_t task_bytes,
               Shape component)
      : array_(array),
        task_bytes_(task_bytes),
        component_(std::move(component)),
        grids_(clipped_grids(array)),
        first_(grids_.source),
        last_(grids_.unit) {
    for (std::size_t axis = 0; axis < array.shape.size(); ++axis) {
      first_lengths_.push_back(cell_lengths(
          array.shape[axis], grids_.source[axis], component_[axis]));
      last_lengths_.push_back(last_lengths(axis));
    }
  }

  std::optional<Staging> run() {
    if (!fits(first_, last_)) {
      last_ = grids_.unit;
      if (!fits(first_, last_)) return std::nullopt;
    }
    while (cost(first_, last_) > enough() && grow()) {
    }
    return best_of_stage_counts();
  }

 private:
  std::vector<std::int64_t> last_lengths(std::size_t axis) const {
    const std::int64_t object = grids_.object[axis], unit = grids_.unit[axis];
    std::vector<std::int64_t> lengths;
    for (std::int64_t length : cell_lengths(object, unit, object))
      if (length < object && object % length == 0) lengths.push_back(length);
    for (std::int64_t length :
         cell_lengths(array_.shape[axis], object, component_[axis]))
      lengths.push_back(length);
    return lengths;
  }

  // Blocks are parts of one object, or whole objects: never both.
  bool is_block(const Shape& last) const {
    return covers(last, grids_.object) || covers(grids_.object, last);
  }

  bool fits(const Shape& first, const Shape& last) const {
    return is_block(last) &&
           read_to_packed_bytes(array_, first) <= task_bytes_ &&
           packed_to_target_bytes(array_, first, last) <= task_bytes_;
  }

  double cost(const Shape& first, const Shape& last) const {
    return kRangeCost * estimated_pairs(array_.shape, first, last) +
           kPieceCost *
               estimated_pairs(array_.shape, first,
                               clip(array_.target.chunks, array_.shape));
  }

  // Ranges are long enough when they cost little beside the bytes.
  double enough() const {
    return 0.05 * kPassByteCost * bytes_in(array_, array_.shape);
  }

  // Takes the step that saves most for the memory it costs.
  bool grow() {
    double best = 0;
    Shape first = first_, last = last_;
    const double now = cost(first_, last_);
    const auto consider = [&](const Shape& a, const Shape& b) {
      if (!fits(a, b)) return;
      // Per byte: the smaller of the two tasks grows first.
      const double grown = bytes_in(array_, a) - bytes_in(array_, first_) +
                           bytes_in(array_, b) - bytes_in(array_, last_);
      const double score = (now - cost(a, b)) / std::max(grown, 1.0);
      if (score > best) best = score, first = a, last = b;
    };
    for (std::size_t axis = 0; axis < first_.size(); ++axis) {
      for (std::int64_t length : first_lengths_[axis]) {
        if (length <= first_[axis]) continue;
        Shape larger = first_;
        larger[axis] = length;
        consider(larger, last_);
      }
      for (std::int64_t length : last_lengths_[axis]) {
        if (length <= last_[axis]) continue;
        Shape larger = last_;
        larger[axis] = length;
        consider(first_, larger);
      }
    }
    first_ = first;
    last_ = last;
    return best > 0;
  }

  // Shapes between the first and the last, at equal factors; equal axes stay
  // equal.
  std::vector<Shape> interpolate(int intermediates) const {
    std::vector<Shape> tasks{first_};
    for (int stage = 1; stage < intermediates; ++stage) {
      const double part = static_cast<double>(stage) / intermediates;
      Shape task(first_.size());
      for (std::size_t axis = 0; axis < task.size(); ++axis)
        task[axis] = std::clamp<std::int64_t>(
            std::llround(std::exp(
                (1 - part) * std::log(static_cast<double>(first_[axis])) +
                part * std::log(static_cast<double>(last_[axis])))),
            1, std::max<std::int64_t>(1, array_.shape[axis]));
      shrink_to_fit(tasks.back(), task);
      tasks.push_back(task);
    }
    tasks.push_back(last_);
    return tasks;
  }

  void shrink_to_fit(const Shape& previous, Shape& task) const {
    while (packed_to_packed_bytes(array_, previous, task) > task_bytes_) {
      auto longest = std::max_element(task.begin(), task.end());
      if (*longest == 1) return;
      *longest = ceil_div(*longest, 2);
    }
  }

  double chain_cost(const std::vector<Shape>& tasks) const {
    double ranges = 0;
    for (std::size_t stage = 0; stage + 1 < tasks.size(); ++stage)
      ranges += estimated_pairs(array_.shape, tasks[stage], tasks[stage + 1]);
    const Shape& before_last = tasks[tasks.size() - 2];
    return kRangeCost * ranges +
           kPieceCost *
               estimated_pairs(array_.shape, before_last,
                               clip(array_.target.chunks, array_.shape)) +
           kPassByteCost * bytes_in(array_, array_.shape) *
               static_cast<double>(tasks.size() - 1);
  }

  bool chain_fits(const std::vector<Shape>& tasks) const {
    for (std::size_t stage = 1; stage + 1 < tasks.size(); ++stage)
      if (packed_to_packed_bytes(array_, tasks[stage - 1], tasks[stage]) >
          task_bytes_)
        return false;
    return packed_to_target_bytes(array_, tasks[tasks.size() - 2], last_) <=
           task_bytes_;
  }

  std::optional<Staging> best_of_stage_counts() const {
    std::optional<Staging> best;
    for (int intermediates = 1; intermediates <= kMaxIntermediates;
         ++intermediates) {
      const std::vector<Shape> tasks = interpolate(intermediates);
      if (!chain_fits(tasks)) continue;
      const double nanoseconds = chain_cost(tasks);
      if (best && best->nanoseconds <= nanoseconds) continue;
      best = Staging{
          Method::kStaged,
          // Shapes in between divide no component but the array.
          intermediates == 1 ? component_ : clip(array_.shape, array_.shape),
          tasks, last_, nanoseconds};
    }
    if (best && !covers(last_, grids_.object))
      best->tasks.back() = grids_.object;
    return best;
  }

  const ArrayProblem& array_;
  const std::int64_t task_bytes_;
  const Shape component_;
  const Grids grids_;
  Shape first_, last_;
  std::vector<std::vector<std::int64_t>> first_lengths_, last_lengths_;
};

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

}  // namespace

std::optional<Staging> stage_direct(const ArrayProblem& array,
                                    std::int64_t task_bytes, int threads) {
  for (DirectShapes shapes : direct_shapes(array)) {
    if (direct_bytes(array, shapes.block) > task_bytes) continue;
    if (shapes.task == shapes.block)
      shapes.task = shapes.block =
          group_components(array, shapes.task, task_bytes, threads);
    const double tasks =
        static_cast<double>(Grid(array.shape, shapes.task).cell_count());
    return Staging{Method::kDirect,
                   clip(array.shape, array.shape),
                   {shapes.task},
                   shapes.block,
                   kTaskCost * tasks};
  }
  return std::nullopt;
}

std::optional<Staging> stage_packed(const ArrayProblem& array,
                                    std::int64_t task_bytes) {
  const Grids grids = clipped_grids(array);
  const Shape whole_array = clip(array.shape, array.shape);
  const Shape component = lcm_box(grids.source, grids.object, array.shape);
  auto best = PackedSearch(array, task_bytes, component).run();
  if (component == whole_array) return best;
  // One component over the whole array leaves tasks more shapes to choose
  // from, but keeps all of the intermediate at a time: it must save much.
  auto other = PackedSearch(array, task_bytes, whole_array).run();
  if (other && (!best || other->nanoseconds < 0.7 * best->nanoseconds))
    return other;
  return best;
}

std::int64_t smallest_task_bytes(const ArrayProblem& array) {
  const Grids grids = clipped_grids(array);
  std::int64_t smallest =
      std::max(read_to_packed_bytes(array, grids.source),
               packed_to_target_bytes(array, grids.source, grids.unit));
  for (const DirectShapes& shapes : direct_shapes(array))
    smallest = std::min(smallest, direct_bytes(array, shapes.block));
  return smallest;
}

}  // namespace rechunk

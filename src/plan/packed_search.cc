#include <algorithm>
#include <cmath>
#include <limits>

#include "plan/cost.h"
#include "plan/geometry.h"
#include "plan/refine.h"
#include "plan/staging.h"

namespace rechunk {
namespace {

constexpr int kMaxIntermediates = 6;
// Ranges are long enough when they cost no more than this share of the bytes.
constexpr double kLongEnoughShare = 0.005;
// The most steps of the local search.
constexpr int kPackedRounds = 6;

// The search for first and last task shapes of a packed staging.
class PackedSearch {
 public:
  PackedSearch(const ArrayProblem& array, const PlanOptions& options,
               Shape component, bool coded)
      : array_(array),
        threads_(options.threads),
        component_(std::move(component)),
        coded_(coded),
        packing_{coded, reaches_disk(array, component_)},
        grids_(clipped_grids(array)),
        task_bytes_(options.max_memory / options.threads),
        first_bytes_(
            share(read_to_packed_bytes(array, grids_.source, coded), options)),
        last_bytes_(share(
            packed_to_target_bytes(array, grids_.source, grids_.unit, coded),
            options)),
        first_(grids_.source),
        last_(grids_.unit) {
    for (std::size_t axis = 0; axis < array.shape.size(); ++axis) {
      first_lengths_.push_back(first_lengths(axis));
      last_lengths_.push_back(block_lengths(array, component_, axis));
    }
  }

  // Both shapes start as small as possible and grow. Then the number of
  // intermediates between them is chosen.
  std::optional<Staging> run() {
    if (!fits(first_, last_)) return std::nullopt;
    while (work(first_, last_) > enough() && grow()) {
    }
    if (work(first_, last_) > enough()) turn_dials();
    return best_of_stage_counts();
  }

 private:
  // Memory for each task of a stage. If the smallest task is too large for all
  // threads, fewer run at once, and each may hold more.
  static std::int64_t share(std::int64_t smallest, const PlanOptions& options) {
    return options.max_memory / tasks_at_once(smallest, options);
  }

  // Tasks hold whole source units. If parts of units can be read alone, other
  // lengths are as good.
  std::vector<std::int64_t> first_lengths(std::size_t axis) const {
    const std::int64_t length = array_.shape[axis];
    auto lengths = cell_lengths(length, grids_.source[axis], component_[axis]);
    if (!array_.source.in_parts) return lengths;
    const auto more =
        cell_lengths(length, grids_.object[axis], component_[axis]);
    lengths.insert(lengths.end(), more.begin(), more.end());
    std::sort(lengths.begin(), lengths.end());
    return lengths;
  }

  bool fits(const Shape& first, const Shape& last) const {
    return is_block(last, grids_.object) &&
           read_to_packed_bytes(array_, first, coded_) <= first_bytes_ &&
           packed_to_target_bytes(array_, first, last, coded_) <= last_bytes_;
  }

  double cost(const Shape& first, const Shape& last) const {
    const std::int64_t task_bytes =
        std::max(read_to_packed_bytes(array_, first, coded_),
                 packed_to_target_bytes(array_, first, last, coded_));
    return work(first, last) + memory_cost(task_bytes, threads_);
  }

  double work(const Shape& first, const Shape& last) const {
    return source_read_cost(array_, first) +
           packed_write_cost(array_, first, packing_) +
           packed_read_cost(array_, first, last, packing_);
  }

  // The cost of the bytes alone, which no shape can save.
  double enough() const {
    const Shape all = clip(array_.shape, array_.shape);
    return (1 + kLongEnoughShare) * work(all, all);
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

  // The best shapes may not lie on the way that growing takes.
  void turn_dials() {
    const std::size_t rank = first_.size();
    std::vector<Dial> dials;
    for (std::size_t axis = 0; axis < rank; ++axis)
      dials.push_back(dial(first_lengths_[axis], first_[axis]));
    for (std::size_t axis = 0; axis < rank; ++axis)
      dials.push_back(dial(last_lengths_[axis], last_[axis]));
    const auto take = [&](const std::vector<Dial>& at) {
      for (std::size_t axis = 0; axis < rank; ++axis) {
        first_[axis] = at[axis].length();
        last_[axis] = at[rank + axis].length();
      }
    };
    refine(
        dials, kPackedRounds, kEnoughSaved, [&](const std::vector<Dial>& at) {
          take(at);
          return fits(first_, last_) ? cost(first_, last_)
                                     : std::numeric_limits<double>::infinity();
        });
    take(dials);
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
    while (packed_to_packed_bytes(array_, previous, task, coded_) >
           task_bytes_) {
      auto longest = std::max_element(task.begin(), task.end());
      if (longest == task.end() || *longest == 1) return;
      *longest = ceil_div(*longest, 2);
    }
  }

  double chain_cost(const std::vector<Shape>& tasks) const {
    double nanoseconds = source_read_cost(array_, tasks[0]);
    // All threads wait for one disk.
    const double disk_time = packed_disk_bytes(array_, packing_) *
                             std::max(array_.temp.disk_read_ns_per_byte,
                                      array_.temp.disk_write_ns_per_byte);
    for (std::size_t stage = 0; stage + 1 < tasks.size(); ++stage)
      nanoseconds +=
          packed_write_cost(array_, tasks[stage], packing_) +
          packed_read_cost(array_, tasks[stage], tasks[stage + 1], packing_) +
          threads_ * disk_time;
    return nanoseconds;
  }

  bool chain_fits(const std::vector<Shape>& tasks) const {
    for (std::size_t stage = 1; stage + 1 < tasks.size(); ++stage)
      if (packed_to_packed_bytes(array_, tasks[stage - 1], tasks[stage],
                                 coded_) > task_bytes_)
        return false;
    return packed_to_target_bytes(array_, tasks[tasks.size() - 2], last_,
                                  coded_) <= last_bytes_;
  }

  std::optional<Staging> best_of_stage_counts() const {
    std::optional<Staging> best;
    double best_cost = 0;
    for (int intermediates = 1; intermediates <= kMaxIntermediates;
         ++intermediates) {
      const std::vector<Shape> tasks = interpolate(intermediates);
      if (!chain_fits(tasks)) continue;
      const double nanoseconds = chain_cost(tasks);
      if (best && best_cost <= nanoseconds) continue;
      best_cost = nanoseconds;
      best = Staging{
          Method::kStaged,
          // Interpolated shapes divide no component. So the whole array is one.
          intermediates == 1 ? component_ : clip(array_.shape, array_.shape),
          tasks, last_, coded_};
    }
    // A task writes whole objects. If the block is a part of a shard, the task
    // holds one block after the other.
    if (best && !covers(last_, grids_.object))
      best->tasks.back() = grids_.object;
    return best;
  }

  const ArrayProblem& array_;
  const int threads_;
  const Shape component_;
  const bool coded_;
  const Packing packing_;
  const Grids grids_;
  const std::int64_t task_bytes_, first_bytes_, last_bytes_;
  Shape first_, last_;
  std::vector<std::vector<std::int64_t>> first_lengths_, last_lengths_;
};

}  // namespace

std::vector<Staging> stage_packed(const ArrayProblem& array,
                                  std::int64_t budget, int threads) {
  const Grids grids = clipped_grids(array);
  const Shape whole_array = clip(array.shape, array.shape);
  const Shape component = lcm_box(grids.source, grids.object, array.shape);
  std::vector<Staging> stagings;
  const auto consider = [&](const Shape& box, bool coded) {
    if (auto found = PackedSearch(array, {budget, threads}, box, coded).run())
      stagings.push_back(std::move(*found));
  };
  for (const bool coded : {true, false}) {
    // Coded ranges are asked for in three steps, one after the other.
    if (coded && (!can_be_coded(array) || array.temp.requests > 1)) continue;
    consider(component, coded);
    if (component != whole_array) consider(whole_array, coded);
  }
  return stagings;
}

}  // namespace rechunk

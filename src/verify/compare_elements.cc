#include "verify/compare_elements.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <span>

#include "base/strided_copy.h"
#include "exec/block.h"
#include "exec/run_plan.h"
#include "verify/read_regions.h"
#include "zarr/chunks/array_reader.h"
#include "zarr/elements/fill_value.h"

namespace rechunk {
namespace {

using Difference = Comparison::Difference;

// At most so many boxes are compared element by element.
constexpr std::size_t kMostDifferences = 16;
// Two digests are held for each cell.
constexpr std::int64_t kMostCells = 1 << 16;

// A block in C order of the array's axes, clipped: for comparing.
BlockLayout plain_block(const Region& region, std::int64_t item_bytes) {
  Shape all = region.stop;
  for (std::int64_t& length : all) length = std::max<std::int64_t>(1, length);
  return BlockLayout::of_pieces(region, {all, all}, c_order(region.rank()),
                                item_bytes);
}

/// Reads boxes of both arrays and compares them element by element.
class ElementComparison {
 public:
  ElementComparison(const StoredArray& a, const StoredArray& b)
      : type_(a.metadata.data_type),
        layout_a_(shared_layout(a)),
        layout_b_(shared_layout(b)),
        reader_a_(a.store, a.path, layout_a_, layout_a_->scalars),
        // Both readers give the byte order of the first array.
        reader_b_(b.store, b.path, layout_b_, layout_a_->scalars),
        regions_(layout_a_->shape, read_region_shape(*layout_a_)) {}

  const Grid& regions() const { return regions_; }

  std::int64_t task_bytes() const {
    return 2 * block_bytes(*layout_a_, regions_.cell_shape()) +
           std::max(reader_bytes(*layout_a_), reader_bytes(*layout_b_));
  }

  /// Compares one of `regions`, or a part of one. If both sides are the same,
  /// the difference has 0 elements.
  Difference compare(const Region& region, Arena& arena) const {
    const ArenaScope scope(arena);
    const BlockLayout plain = plain_block(region, layout_a_->item_bytes);
    Block a(plain, arena.take(plain.bytes()));
    Block b(plain, arena.take(plain.bytes()));
    StageReport report;
    reader_a_.read(region, a, arena, report);
    reader_b_.read(region, b, arena, report);
    return describe(a, b);
  }

 private:
  Difference describe(const Block& a, const Block& b) const {
    const Region& region = a.layout().region();
    const auto item = static_cast<std::size_t>(a.layout().item_bytes());
    Difference difference{region.start, region.stop, 0, {}, {}, {}};
    const auto element = [&](const Block& block, std::size_t at) {
      return std::span<const std::byte>(block.memory().subspan(at, item));
    };
    for (std::size_t at = 0; at < a.memory().size(); at += item) {
      // Bit by bit, so that NaN equals the same NaN.
      if (std::memcmp(&a.memory()[at], &b.memory()[at], item) == 0) continue;
      if (difference.elements++ > 0) continue;
      difference.first = Grid(region.extent(), Shape(region.start.size(), 1))
                             .coordinates(static_cast<std::int64_t>(at / item));
      for (std::size_t axis = 0; axis < difference.first.size(); ++axis)
        difference.first[axis] += region.start[axis];
      difference.value_a = describe_element(element(a, at), type_);
      difference.value_b = describe_element(element(b, at), type_);
    }
    return difference;
  }

  const DataType& type_;
  const std::shared_ptr<const ArrayLayout> layout_a_, layout_b_;
  const ArrayReader reader_a_, reader_b_;
  const Grid regions_;
};

/// What several threads find, by number of box. The first boxes are kept.
class Findings {
 public:
  explicit Findings(Comparison::Array& result) : result_(result) {}

  void add(std::int64_t number, Difference difference) {
    const std::lock_guard lock(mutex_);
    result_.different_elements += difference.elements;
    const auto [at, first] = found_.try_emplace(number, difference);
    if (!first) at->second = joined(at->second, difference);
    // The first boxes stay, whichever thread is faster. So results do not vary.
    if (found_.size() > kMostDifferences) found_.erase(std::prev(found_.end()));
  }

  void finish() {
    for (auto& [number, difference] : found_)
      result_.differences.push_back(std::move(difference));
  }

 private:
  // Joins two parts of one box. The part that comes first has the first
  // different element.
  static Difference joined(const Difference& one, const Difference& other) {
    const bool in_order = one.first < other.first;
    Difference all = in_order ? one : other;
    for (std::size_t axis = 0; axis < all.start.size(); ++axis) {
      all.start[axis] = std::min(one.start[axis], other.start[axis]);
      all.stop[axis] = std::max(one.stop[axis], other.stop[axis]);
    }
    all.elements = one.elements + other.elements;
    return all;
  }

  Comparison::Array& result_;
  std::mutex mutex_;
  std::map<std::int64_t, Difference> found_;
};

void compare_sample(const ElementComparison& comparison,
                    const ReadOptions& options, Comparison::Array& result) {
  const Grid& regions = comparison.regions();
  const ChosenRegions chosen(regions.cell_count(), options.sample);
  const std::int64_t bytes = comparison.task_bytes();
  Findings findings(result);
  std::mutex mutex;
  run_indexed(chosen.count(), threads_within(options, bytes), bytes,
              options.budget, options.stop,
              [&](std::int64_t index, Arena& arena) {
                const Region region = regions.cell(chosen[index]);
                Difference difference = comparison.compare(region, arena);
                const std::lock_guard lock(mutex);
                result.compared_elements += element_count(region);
                if (difference.elements == 0) return;
                ++result.different_regions;
                findings.add(index, std::move(difference));
              });
  findings.finish();
  result.regions = regions.cell_count();
  result.compared_regions = chosen.count();
  result.equal = result.different_regions == 0;
}

// The boxes, or larger ones if there are very many.
Grid coarse(const Grid& regions) {
  Grid grid = regions;
  while (grid.cell_count() > kMostCells) {
    Shape cell = grid.cell_shape();
    const auto most =
        std::max_element(grid.counts().begin(), grid.counts().end());
    auto& length = cell[static_cast<std::size_t>(most - grid.counts().begin())];
    length = checked_multiply(length, 2);
    grid = Grid(grid.shape(), cell);
  }
  return grid;
}

// The elements of the first boxes whose digests differ.
void look_into(const std::vector<std::int64_t>& cells, const Grid& grid,
               const ElementComparison& comparison, const ReadOptions& options,
               Comparison::Array& result) {
  struct Part {
    std::int64_t cell;
    Region region;
  };
  std::vector<Part> parts;
  for (const std::int64_t cell : cells)
    for_each_point(comparison.regions().cells_touching(grid.cell(cell)),
                   [&](const Shape& region) {
                     parts.push_back({cell, comparison.regions().cell(region)});
                   });
  Findings findings(result);
  const std::int64_t bytes = comparison.task_bytes();
  run_indexed(static_cast<std::int64_t>(parts.size()),
              threads_within(options, bytes), bytes, options.budget,
              options.stop, [&](std::int64_t index, Arena& arena) {
                const Part& part = parts[static_cast<std::size_t>(index)];
                Difference difference = comparison.compare(part.region, arena);
                if (difference.elements > 0)
                  findings.add(part.cell, std::move(difference));
              });
  findings.finish();
}

void find_differences(const StoredArray& a, const StoredArray& b,
                      const ReadOptions& options, Comparison::Array& result) {
  const ElementComparison comparison(a, b);
  // Digests of boxes tell where to look. Only some boxes are read again.
  const Grid grid = coarse(comparison.regions());
  const auto digests_a = digest_cells(a, grid, options);
  const auto digests_b = digest_cells(b, grid, options);
  std::vector<std::int64_t> first;
  for (std::int64_t cell = 0; cell < grid.cell_count(); ++cell) {
    const auto at = static_cast<std::size_t>(cell);
    if (digests_a[at] == digests_b[at]) continue;
    ++result.different_regions;
    if (first.size() < kMostDifferences) first.push_back(cell);
  }
  result.regions = result.compared_regions = grid.cell_count();
  look_into(first, grid, comparison, options, result);
}

std::string summary(const Comparison::Array& array) {
  if (array.differences.empty())
    return "digests differ, but no element did when they were read again";
  const Difference& first = array.differences.front();
  const bool all_counted =
      static_cast<std::int64_t>(array.differences.size()) ==
      array.different_regions;
  return fmt::format(
      "element {} is {} and {}; {}{} of {} differ, in {} of {} {}",
      to_string(first.first), first.value_a, first.value_b,
      all_counted ? "" : "at least ", array.different_elements,
      array.compared_elements, array.different_regions, array.compared_regions,
      array.compared_regions == 1 ? "region" : "regions");
}

}  // namespace

// Whole arrays are compared by digests, so that nobody holds two large boxes.
// Elements are compared only if digests differ, or in samples.
Comparison::Array compare_elements(const StoredArray& a, const StoredArray& b,
                                   const ReadOptions& options) {
  Comparison::Array result;
  if (options.sample.regions > 0) {
    compare_sample(ElementComparison(a, b), options, result);
  } else {
    const Digest digest_a = digest_array(a, options);
    const Digest digest_b = digest_array(b, options);
    result.digest_a = to_string(digest_a);
    result.digest_b = to_string(digest_b);
    result.equal = digest_a == digest_b;
    result.compared_elements = element_count(a.metadata.shape);
    if (!result.equal) find_differences(a, b, options, result);
  }
  if (!result.equal) result.difference = summary(result);
  return result;
}

}  // namespace rechunk

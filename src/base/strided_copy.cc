#include "base/strided_copy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

namespace rechunk {
namespace {

constexpr int kMaxAxes = 64;

// One axis of a copy, after merging.
struct Axis {
  std::int64_t length;
  std::int64_t target_stride;
  std::int64_t source_stride;
};

// A copy as nested loops over `axes`, outermost first, of runs of `run_bytes`
// that are contiguous on both sides.
struct Loops {
  std::array<Axis, kMaxAxes> axes;
  int count = 0;
  std::int64_t run_bytes = 0;
};

// Orders axes by target stride and merges those that are one axis in both
// layouts, so that loops are few and runs are long.
Loops make_loops(const Shape& extent, std::int64_t item_bytes,
                 const Shape& target_strides,
                 const Shape& source_strides) noexcept {
  Loops loops;
  for (std::size_t axis = 0; axis < extent.size(); ++axis) {
    if (extent[axis] == 1) continue;
    Axis added{extent[axis], target_strides[axis], source_strides[axis]};
    int place = loops.count++;
    // Insertion sort: ranks are small, and mostly sorted already.
    for (;
         place > 0 && loops.axes[place - 1].target_stride < added.target_stride;
         --place)
      loops.axes[place] = loops.axes[place - 1];
    loops.axes[place] = added;
  }
  loops.run_bytes = item_bytes;
  // The innermost axes become one run if both sides have no gaps there.
  while (loops.count > 0 &&
         loops.axes[loops.count - 1].target_stride == loops.run_bytes &&
         loops.axes[loops.count - 1].source_stride == loops.run_bytes) {
    loops.run_bytes *= loops.axes[loops.count - 1].length;
    --loops.count;
  }
  int kept = 0;
  // Other neighbours become one loop if they are one axis on both sides.
  for (int axis = 1; axis < loops.count; ++axis) {
    Axis& outer = loops.axes[kept];
    const Axis& inner = loops.axes[axis];
    if (outer.target_stride == inner.target_stride * inner.length &&
        outer.source_stride == inner.source_stride * inner.length)
      outer = {outer.length * inner.length, inner.target_stride,
               inner.source_stride};
    else
      loops.axes[++kept] = inner;
  }
  if (loops.count > 0) loops.count = kept + 1;
  return loops;
}

// Two innermost loops over runs whose size the compiler knows.
template <std::int64_t kBytes>
void copy_plane(const Axis& rows, const Axis& columns, std::byte* target,
                const std::byte* source, std::int64_t) noexcept {
  for (std::int64_t row = 0; row < rows.length; ++row) {
    std::byte* to = target + row * rows.target_stride;
    const std::byte* from = source + row * rows.source_stride;
    for (std::int64_t column = 0; column < columns.length; ++column) {
      std::memcpy(to, from, kBytes);
      to += columns.target_stride;
      from += columns.source_stride;
    }
  }
}

// Runs of any size. For short runs, a call of memcpy costs more than the copy.
// So these are copied in words of 16 bytes. The last word overlaps the one
// before it.
inline void copy_run(std::byte* target, const std::byte* source,
                     std::int64_t bytes) noexcept {
  if (bytes < 16 || bytes > 512) {
    std::memcpy(target, source, static_cast<std::size_t>(bytes));
    return;
  }
  std::int64_t at = 0;
  for (; at + 16 <= bytes; at += 16) std::memcpy(target + at, source + at, 16);
  std::memcpy(target + bytes - 16, source + bytes - 16, 16);
}

void copy_plane_any(const Axis& rows, const Axis& columns, std::byte* target,
                    const std::byte* source, std::int64_t bytes) noexcept {
  for (std::int64_t row = 0; row < rows.length; ++row) {
    std::byte* to = target + row * rows.target_stride;
    const std::byte* from = source + row * rows.source_stride;
    for (std::int64_t column = 0; column < columns.length; ++column) {
      copy_run(to, from, bytes);
      to += columns.target_stride;
      from += columns.source_stride;
    }
  }
}

using CopyPlane = void (*)(const Axis&, const Axis&, std::byte*,
                           const std::byte*, std::int64_t) noexcept;

// Runs of 4, 8, ... bytes have loops of their own.
constexpr std::int64_t kKnownRunStep = 4;
constexpr std::size_t kKnownRuns = 64;

template <std::size_t... kIndex>
constexpr std::array<CopyPlane, sizeof...(kIndex)> known_runs(
    std::index_sequence<kIndex...>) {
  return {copy_plane<static_cast<std::int64_t>(kIndex + 1) * kKnownRunStep>...};
}

CopyPlane choose_plane(std::int64_t run_bytes) noexcept {
  static constexpr auto kPlanes =
      known_runs(std::make_index_sequence<kKnownRuns>());
  if (run_bytes == 1) return copy_plane<1>;
  if (run_bytes == 2) return copy_plane<2>;
  const auto index = static_cast<std::size_t>(run_bytes / kKnownRunStep) - 1;
  return run_bytes % kKnownRunStep == 0 && index < kKnownRuns ? kPlanes[index]
                                                              : copy_plane_any;
}

// If columns jump through the source, a plane is a transposition. Tiles keep
// both sides within the cache's lines.
void copy_tiles(CopyPlane copy, const Axis& rows, const Axis& columns,
                std::byte* target, const std::byte* source,
                std::int64_t run_bytes) noexcept {
  const std::int64_t tile = std::max<std::int64_t>(8, 256 / run_bytes);
  for (std::int64_t row = 0; row < rows.length; row += tile)
    for (std::int64_t column = 0; column < columns.length; column += tile) {
      const Axis part_rows{std::min(tile, rows.length - row),
                           rows.target_stride, rows.source_stride};
      const Axis part_columns{std::min(tile, columns.length - column),
                              columns.target_stride, columns.source_stride};
      copy(part_rows, part_columns,
           target + row * rows.target_stride + column * columns.target_stride,
           source + row * rows.source_stride + column * columns.source_stride,
           run_bytes);
    }
}

bool is_transposition(const Axis& rows, const Axis& columns,
                      std::int64_t run_bytes) noexcept {
  return run_bytes <= 32 && rows.source_stride < columns.source_stride &&
         rows.length >= 8 && columns.length >= 8;
}

// If the source's fastest axis is not one of the two innermost loops, it
// becomes the outer one of these, so that tiles see it.
void bring_source_axis_in(Loops& loops) noexcept {
  if (loops.count < 3 || loops.run_bytes > 32) return;
  int fastest = 0;
  for (int axis = 1; axis < loops.count; ++axis)
    if (loops.axes[axis].source_stride < loops.axes[fastest].source_stride)
      fastest = axis;
  if (fastest < loops.count - 2)
    std::rotate(loops.axes.begin() + fastest, loops.axes.begin() + fastest + 1,
                loops.axes.begin() + loops.count - 1);
}

}  // namespace

std::vector<int> c_order(int rank) {
  std::vector<int> order(rank);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Shape contiguous_strides(const Shape& extent,
                         const std::vector<int>& axis_order,
                         std::int64_t item_bytes) {
  Shape strides(extent.size());
  std::int64_t stride = item_bytes;
  for (std::size_t place = axis_order.size(); place-- > 0;) {
    strides[axis_order[place]] = stride;
    stride *= extent[axis_order[place]];
  }
  return strides;
}

bool is_contiguous(const Shape& extent, const Shape& strides,
                   const std::vector<int>& axis_order,
                   std::int64_t item_bytes) {
  std::int64_t stride = item_bytes;
  for (std::size_t place = axis_order.size(); place-- > 0;) {
    const int axis = axis_order[place];
    if (extent[axis] != 1 && strides[axis] != stride) return false;
    stride *= extent[axis];
  }
  return true;
}

void strided_copy(const Shape& extent, std::int64_t item_bytes,
                  std::byte* target, const Shape& target_strides,
                  const std::byte* source,
                  const Shape& source_strides) noexcept {
  for (std::int64_t length : extent)
    if (length == 0) return;
  Loops loops = make_loops(extent, item_bytes, target_strides, source_strides);
  bring_source_axis_in(loops);
  const Axis once{1, 0, 0};
  const Axis columns = loops.count > 0 ? loops.axes[loops.count - 1] : once;
  const Axis rows = loops.count > 1 ? loops.axes[loops.count - 2] : once;
  const int outer = std::max(0, loops.count - 2);
  const CopyPlane copy = choose_plane(loops.run_bytes);
  const bool tiled = is_transposition(rows, columns, loops.run_bytes);

  std::array<std::int64_t, kMaxAxes> at{};
  for (;;) {
    if (tiled)
      copy_tiles(copy, rows, columns, target, source, loops.run_bytes);
    else
      copy(rows, columns, target, source, loops.run_bytes);
    // The outer axes count like digits, the last one fastest.
    int axis = outer - 1;
    for (; axis >= 0; --axis) {
      const Axis& loop = loops.axes[axis];
      target += loop.target_stride;
      source += loop.source_stride;
      if (++at[axis] < loop.length) break;
      target -= loop.target_stride * loop.length;
      source -= loop.source_stride * loop.length;
      at[axis] = 0;
    }
    if (axis < 0) return;
  }
}

void fill_elements(std::span<std::byte> target,
                   std::span<const std::byte> element) noexcept {
  if (target.empty()) return;
  const std::byte first = element[0];
  if (std::all_of(element.begin(), element.end(),
                  [&](std::byte value) { return value == first; })) {
    std::memset(target.data(), static_cast<int>(first), target.size());
    return;
  }
  // Doubles the filled part. A few large copies are faster than many small
  // ones.
  std::size_t filled = std::min(element.size(), target.size());
  std::memcpy(target.data(), element.data(), filled);
  while (filled < target.size()) {
    const std::size_t more = std::min(filled, target.size() - filled);
    std::memcpy(target.data() + filled, target.data(), more);
    filled += more;
  }
}

void strided_fill(const Shape& extent, std::byte* target,
                  const Shape& target_strides,
                  std::span<const std::byte> element) noexcept {
  // With strides of 0, the source stays at the one element.
  const Shape standing(extent.size(), 0);
  strided_copy(extent, static_cast<std::int64_t>(element.size()), target,
               target_strides, element.data(), standing);
}

bool holds_only(std::span<const std::byte> buffer,
                std::span<const std::byte> element) noexcept {
  if (buffer.empty()) return true;
  if (buffer.size() < element.size()) return false;
  if (std::memcmp(buffer.data(), element.data(), element.size()) != 0)
    return false;
  // The buffer equals itself moved by one element, so all elements are equal.
  return std::memcmp(buffer.data(), buffer.data() + element.size(),
                     buffer.size() - element.size()) == 0;
}

}  // namespace rechunk

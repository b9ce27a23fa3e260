#include "job/digest_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/strided_copy.h"
#include "exec/array_copy.h"
#include "exec/block.h"
#include "exec/run_plan.h"
#include "rechunk/error.h"
#include "zarr/array_reader.h"

namespace rechunk {
namespace {

// Some chunks of one object at a time, so that indices of shards are not read
// again for each.
constexpr std::int64_t kRegionBytes = 4 << 20;

std::int64_t block_bytes(const ArrayLayout& layout, const Shape& region) {
  std::int64_t bytes = layout.item_bytes;
  for (std::size_t axis = 0; axis < region.size(); ++axis)
    bytes = checked_multiply(
        bytes,
        checked_multiply(ceil_div(region[axis], layout.chunk_shape[axis]),
                         layout.chunk_shape[axis]));
  return bytes;
}

std::int64_t reader_bytes(const ArrayLayout& layout) {
  return ArrayReader::unit_scratch_bytes(layout) +
         ArrayReader::object_scratch_bytes(layout) + 1024;
}

// Whole chunks, within one object, of about kRegionBytes.
Shape region_shape(const ArrayLayout& layout) {
  Shape region = layout.chunk_shape;
  for (std::size_t axis = region.size(); axis-- > 0;) {
    const std::int64_t most =
        std::min(layout.object_shape[axis],
                 std::max<std::int64_t>(1, layout.shape[axis]));
    while (region[axis] < most) {
      Shape larger = region;
      larger[axis] = region[axis] * 2;
      if (layout.object_shape[axis] % larger[axis] != 0 ||
          block_bytes(layout, larger) > kRegionBytes)
        break;
      region = larger;
    }
  }
  return region;
}

std::shared_ptr<const ArrayLayout> shared_layout(const StoredArray& array) {
  return std::make_shared<const ArrayLayout>(make_layout(array.metadata));
}

std::string hex(std::span<const std::byte> element) {
  std::string text = "0x";
  for (const std::byte value : element)
    text += fmt::format("{:02x}", std::to_integer<int>(value));
  return text;
}

// A block in C order of the array's axes, clipped: for comparing.
BlockLayout plain_block(const Region& region, std::int64_t item_bytes) {
  Shape all = region.stop;
  for (std::int64_t& length : all) length = std::max<std::int64_t>(1, length);
  return BlockLayout::of_pieces(region, {all, all}, c_order(region.rank()),
                                item_bytes);
}

std::string describe_difference(const Block& a, const Block& b) {
  const auto item = static_cast<std::size_t>(a.layout().item_bytes());
  const auto [at, other] =
      std::mismatch(a.memory().begin(), a.memory().end(), b.memory().begin());
  if (at == a.memory().end()) return "";
  const auto index = static_cast<std::size_t>(at - a.memory().begin()) / item;
  const Region& region = a.layout().region();
  const Shape extent = region.extent();
  Shape place = Grid(extent, Shape(extent.size(), 1))
                    .coordinates(static_cast<std::int64_t>(index));
  for (std::size_t axis = 0; axis < place.size(); ++axis)
    place[axis] += region.start[axis];
  return fmt::format("element {} is {} and {}", to_string(place),
                     hex(a.memory().subspan(index * item, item)),
                     hex(b.memory().subspan(index * item, item)));
}

}  // namespace

int threads_within(const ReadOptions& options, std::int64_t task_bytes) {
  const std::int64_t fitting = options.budget.limit() / task_bytes;
  if (fitting == 0)
    throw Error(ErrorKind::kBudgetExceeded,
                fmt::format("verifying within {} bytes of memory: it needs at "
                            "least {} bytes",
                            options.budget.limit(), task_bytes));
  return static_cast<int>(std::min<std::int64_t>(options.threads, fitting));
}

std::int64_t digest_bytes(const ArrayLayout& layout) {
  return block_bytes(layout, region_shape(layout)) + reader_bytes(layout);
}

Digest digest_array(const StoredArray& array, const ReadOptions& options) {
  const auto layout = shared_layout(array);
  const ArrayReader reader(array.store, array.path, layout, layout->scalars);
  const Grid regions(layout->shape, region_shape(*layout));
  const std::int64_t task_bytes = digest_bytes(*layout);
  const auto scalars = digest_scalars(layout->scalars);
  Digest digest;
  std::mutex mutex;
  run_indexed(
      regions.cell_count(), threads_within(options, task_bytes), task_bytes,
      options.budget, options.stop, [&](std::int64_t index, Arena& arena) {
        const ArenaScope scope(arena);
        const BlockLayout block_layout =
            BlockLayout::of_chunks(regions.cell(index), layout->chunk_shape,
                                   layout->axis_order, layout->item_bytes);
        Block block(block_layout, arena.take(block_layout.bytes()));
        StageReport report;
        reader.read(block_layout.region(), block, arena, report);
        const Digest part = block.digest(scalars, layout->shape);
        const std::lock_guard lock(mutex);
        digest += part;
        if (options.on_read)
          options.on_read(element_count(block_layout.region().extent()) *
                          layout->item_bytes);
      });
  return digest;
}

std::string first_difference(const StoredArray& a, const StoredArray& b,
                             const ReadOptions& options) {
  const auto layout_a = shared_layout(a), layout_b = shared_layout(b);
  const ArrayReader reader_a(a.store, a.path, layout_a, layout_a->scalars);
  const ArrayReader reader_b(b.store, b.path, layout_b, layout_a->scalars);
  const Grid regions(layout_a->shape, region_shape(*layout_a));
  const std::int64_t task_bytes =
      2 * block_bytes(*layout_a, regions.cell_shape()) +
      std::max(reader_bytes(*layout_a), reader_bytes(*layout_b));
  std::string difference;
  std::int64_t first = regions.cell_count();
  std::mutex mutex;
  run_indexed(regions.cell_count(), threads_within(options, task_bytes),
              task_bytes, options.budget, options.stop,
              [&](std::int64_t index, Arena& arena) {
                {
                  const std::lock_guard lock(mutex);
                  if (index > first) return;
                }
                const ArenaScope scope(arena);
                const BlockLayout plain =
                    plain_block(regions.cell(index), layout_a->item_bytes);
                Block block_a(plain, arena.take(plain.bytes()));
                Block block_b(plain, arena.take(plain.bytes()));
                StageReport report;
                reader_a.read(plain.region(), block_a, arena, report);
                reader_b.read(plain.region(), block_b, arena, report);
                const std::string found = describe_difference(block_a, block_b);
                const std::lock_guard lock(mutex);
                if (!found.empty() && index < first)
                  first = index, difference = found;
              });
  return difference;
}

}  // namespace rechunk

#include "job/digest_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "exec/array_copy.h"
#include "exec/block.h"
#include "exec/run_plan.h"
#include "job/read_regions.h"
#include "rechunk/error.h"
#include "zarr/array_reader.h"

namespace rechunk {
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
  return block_bytes(layout, read_region_shape(layout)) + reader_bytes(layout);
}

namespace {

/// Reads all of an array, box by box, on several threads.
void read_blocks(const StoredArray& array, const ReadOptions& options,
                 const std::function<void(const Block&)>& visit) {
  const auto layout = shared_layout(array);
  const ArrayReader reader(array.store, array.path, layout, layout->scalars);
  const Grid regions(layout->shape, read_region_shape(*layout));
  const std::int64_t task_bytes = digest_bytes(*layout);
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
        visit(block);
      });
}

}  // namespace

Digest digest_array(const StoredArray& array, const ReadOptions& options) {
  const ArrayMetadata& metadata = array.metadata;
  const auto scalars = digest_scalars(metadata.data_type.scalars);
  Digest digest;
  std::mutex mutex;
  read_blocks(array, options, [&](const Block& block) {
    const Region& region = block.layout().region();
    const Digest part = block.digest(scalars, metadata.shape, region);
    const std::lock_guard lock(mutex);
    digest += part;
    if (options.on_read)
      options.on_read(element_count(region) * metadata.data_type.item_bytes);
  });
  return digest;
}

std::vector<Digest> digest_cells(const StoredArray& array, const Grid& cells,
                                 const ReadOptions& options) {
  const ArrayMetadata& metadata = array.metadata;
  const auto scalars = digest_scalars(metadata.data_type.scalars);
  std::vector<Digest> digests(static_cast<std::size_t>(cells.cell_count()));
  std::mutex mutex;
  read_blocks(array, options, [&](const Block& block) {
    const Region& region = block.layout().region();
    for_each_point(cells.cells_touching(region), [&](const Shape& cell) {
      const Digest part = block.digest(scalars, metadata.shape,
                                       intersect(cells.cell(cell), region));
      const std::lock_guard lock(mutex);
      digests[static_cast<std::size_t>(cells.index(cell))] += part;
    });
  });
  return digests;
}

}  // namespace rechunk

#include "verify/digest_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "exec/digest_sink.h"
#include "exec/run_plan.h"
#include "rechunk/error.h"
#include "verify/read_regions.h"
#include "verify/same_encoded.h"
#include "zarr/chunks/array_reader.h"

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
  return reader_bytes(layout);
}

std::int64_t verification_bytes(const ArrayMetadata& source,
                                const ArrayMetadata& target) {
  if (!is_decodable(target)) return same_encoded_bytes(source, target);
  return std::max(digest_bytes(make_layout(source)),
                  digest_bytes(make_layout(target)));
}

namespace {

/// All elements of an array into a sink that any thread may call.
void read_all(const StoredArray& array, RegionSink& sink,
              const ReadOptions& options) {
  const auto layout = shared_layout(array);
  const ArrayReader reader(array.store, array.path, layout, layout->scalars);
  const Grid regions(layout->shape, read_region_shape(*layout));
  const std::int64_t task_bytes = digest_bytes(*layout);
  std::mutex mutex;
  run_indexed(regions.cell_count(), threads_within(options, task_bytes),
              task_bytes, options.budget, options.stop,
              [&](std::int64_t index, Arena& arena) {
                const Region region = regions.cell(index);
                StageReport report;
                reader.read(region, sink, arena, report);
                if (!options.on_read) return;
                const std::lock_guard lock(mutex);
                options.on_read(element_count(region) * layout->item_bytes);
              });
}

std::vector<DigestScalar> scalars_of(const StoredArray& array) {
  return digest_scalars(array.metadata.data_type.scalars);
}

}  // namespace

std::vector<Digest> digest_cells(const StoredArray& array, const Grid& cells,
                                 const ReadOptions& options) {
  DigestSink sink(scalars_of(array), cells);
  read_all(array, sink, options);
  return sink.digests();
}

std::pair<Digest, Digest> digest_kept(const StoredArray& array,
                                      const Kept& kept,
                                      const ReadOptions& options) {
  KeptDigestSink sink(scalars_of(array), array.metadata.shape, kept, nullptr);
  read_all(array, sink.sink(), options);
  return {sink.kept(), sink.added()};
}

Digest digest_array(const StoredArray& array, const ReadOptions& options) {
  return total(digest_cells(array, whole_grid(array.metadata.shape), options));
}

}  // namespace rechunk

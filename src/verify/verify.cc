// The entry point rechunk::verify (rechunk.h).
#include "rechunk/comparison.h"
#include "rechunk/meter.h"
#include "verify/compare_hierarchies.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {
namespace {

// Both arrays of each pair are read.
Progress bytes_to_read(const Hierarchy& a, const Hierarchy& b) {
  Progress total;
  for (const auto& [path, array] : a.arrays)
    if (b.arrays.contains(path))
      total.bytes_total += 2 * checked_multiply(element_count(array.shape),
                                                array.data_type.item_bytes);
  return total;
}

}  // namespace

Comparison verify(const std::string& a, const std::string& b,
                  const Options& asked, const Sample& sample,
                  Observer* observer, std::stop_token stop,
                  const Storage& storage) {
  const auto store_a =
      open_store(a, storage.for_source(a), asked.references_below);
  const auto store_b =
      open_store(b, storage.for_target(b), asked.references_below);
  const Hierarchy hierarchy_a = read_hierarchy(*store_a);
  const Hierarchy hierarchy_b = read_hierarchy(*store_b);
  const Options options = with_defaults(asked);
  MemoryBudget budget(options.max_memory);
  // A sample is read quickly, so no progress is shown.
  Meter meter(bytes_to_read(hierarchy_a, hierarchy_b),
              sample.regions > 0 ? nullptr : observer);
  const ReadOptions read{budget, options.threads, stop,
                         [&](std::int64_t bytes) {
                           meter.add(0, bytes);
                           meter.tell();
                         },
                         sample};
  return compare_hierarchies(store_a, hierarchy_a, store_b, hierarchy_b, read);
}

}  // namespace rechunk

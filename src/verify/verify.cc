// The entry point rechunk::verify (rechunk.h).
#include <chrono>

#include "base/machine.h"
#include "rechunk/observer.h"
#include "rechunk/rechunk.h"
#include "verify/compare_hierarchies.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {
namespace {

// Tells an observer, which may be null, how far reading is.
class ReadMeter {
 public:
  ReadMeter(const Hierarchy& a, const Hierarchy& b, Observer* observer)
      : observer_(observer) {
    for (const auto& [path, array] : a.arrays)
      if (b.arrays.contains(path))
        progress_.bytes_total +=
            2 * checked_multiply(element_count(array.shape),
                                 array.data_type.item_bytes);
  }

  void add(std::int64_t bytes) {
    progress_.bytes_done += bytes;
    const auto now = Clock::now();
    if (!observer_ || now - last_told_ < std::chrono::milliseconds(100)) return;
    last_told_ = now;
    progress_.seconds = std::chrono::duration<double>(now - begin_).count();
    observer_->on_progress(progress_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  Observer* observer_;
  Progress progress_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point last_told_ = begin_;
};

}  // namespace

Comparison verify(const std::string& a, const std::string& b,
                  const Options& options, const Sample& sample,
                  Observer* observer, std::stop_token stop) {
  const auto store_a = open_store(a), store_b = open_store(b);
  const Hierarchy hierarchy_a = read_hierarchy(*store_a);
  const Hierarchy hierarchy_b = read_hierarchy(*store_b);
  MemoryBudget budget(options.max_memory > 0 ? options.max_memory
                                             : default_max_memory());
  // Of a sample nobody waits for the end.
  ReadMeter meter(hierarchy_a, hierarchy_b,
                  sample.regions > 0 ? nullptr : observer);
  const ReadOptions read{
      budget, options.threads > 0 ? options.threads : available_threads(), stop,
      [&](std::int64_t bytes) { meter.add(bytes); }, sample};
  return compare_hierarchies(store_a, hierarchy_a, store_b, hierarchy_b, read);
}

}  // namespace rechunk

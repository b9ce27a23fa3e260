// The entry points that only read: info and verify.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "job/compare_elements.h"
#include "job/digest_array.h"
#include "job/dimension_names.h"
#include "job/machine.h"
#include "job/target_hierarchy.h"
#include "rechunk/error.h"
#include "rechunk/observer.h"
#include "rechunk/rechunk.h"
#include "zarr/hierarchy.h"
#include "zarr/layout.h"

namespace rechunk {
namespace {

void count_objects(const Store& store, ArrayInfo& info) {
  store.list(info.name, [&](std::string_view key, std::int64_t bytes) {
    if (is_document(key)) return;
    ++info.objects;
    info.stored_bytes += bytes;
  });
}

ArrayInfo describe(const Store& store, const std::string& path,
                   const ArrayMetadata& array) {
  ArrayInfo info;
  info.name = path;
  info.zarr_format = array.zarr_format;
  info.shape = array.shape;
  info.dtype = array.data_type.label();
  info.chunks = inner_chunks(array);
  info.shards = shards_of(array).value_or(Shape{});
  info.codecs = describe_codecs(array);
  info.fill_value = array.fill_value.json;
  info.dimension_names = dimension_names_of(array);
  info.bytes =
      checked_multiply(element_count(array.shape), array.data_type.item_bytes);
  count_objects(store, info);
  return info;
}

// Why two arrays cannot hold the same elements; "" if they can.
std::string metadata_difference(const ArrayMetadata& a,
                                const ArrayMetadata& b) {
  if (a.shape != b.shape)
    return fmt::format("shapes {} and {}", to_string(a.shape),
                       to_string(b.shape));
  if (!same_type(a.data_type, b.data_type))
    return fmt::format("types {} and {}", a.data_type.label(),
                       b.data_type.label());
  return "";
}

// "" if it can be decoded.
std::string why_not_decoded(const ArrayMetadata& array) {
  try {
    make_layout(array);
    return "";
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    return error.what();
  }
}

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

void compare_arrays(const StoredArray& a, const StoredArray& b,
                    const ReadOptions& options, Comparison::Array& result) {
  if (!can_decode(a.metadata) &&
      (same_encoding(a.metadata, b.metadata) ||
       same_chunk_encoding(a.metadata, b.metadata))) {
    result.equal = same_encoded(a, b, options);
    if (!result.equal) result.difference = "encoded chunks differ";
    return;
  }
  for (const StoredArray* array : {&a, &b}) {
    result.difference = why_not_decoded(array->metadata);
    result.compared = result.difference.empty();
    if (!result.compared) return;
  }
  compare_elements(a, b, options, result);
}

}  // namespace

std::vector<ArrayInfo> info(const std::string& url) {
  const auto store = open_store(url);
  const Hierarchy hierarchy = read_hierarchy(*store);
  std::vector<ArrayInfo> infos;
  for (const auto& [path, array] : hierarchy.arrays)
    infos.push_back(describe(*store, path, array));
  for (const auto& [path, array] : hierarchy.unread) {
    ArrayInfo& info = infos.emplace_back();
    info.name = path;
    info.zarr_format = hierarchy.zarr_format;
    info.cause = array.cause;
    count_objects(*store, info);
  }
  return infos;
}

Comparison compare_hierarchies(std::shared_ptr<Store> store_a,
                               const Hierarchy& a,
                               std::shared_ptr<Store> store_b,
                               const Hierarchy& b, const ReadOptions& options) {
  Comparison comparison;
  comparison.equal = true;
  const auto add = [&](Comparison::Array array) {
    comparison.equal = comparison.equal && array.equal;
    comparison.arrays.push_back(std::move(array));
  };
  const auto add_unread = [&](const std::string& path, const Hierarchy& own,
                              const Hierarchy& other, const char* only) {
    if (other.arrays.contains(path) || other.unread.contains(path))
      add({.name = path,
           .compared = false,
           .difference = own.unread.at(path).cause});
    else
      add({.name = path, .difference = only});
  };
  for (const auto& [path, array] : a.unread)
    add_unread(path, a, b, "only the first has it");
  for (const auto& [path, array] : b.unread)
    if (!a.unread.contains(path))
      add_unread(path, b, a, "only the second has it");
  for (const auto& [path, array] : a.arrays) {
    if (b.unread.contains(path)) continue;
    Comparison::Array result;
    result.name = path;
    const auto other = b.arrays.find(path);
    if (other == b.arrays.end()) {
      result.difference = "only the first has it";
    } else {
      result.difference = metadata_difference(array, other->second);
      if (result.difference.empty())
        with_context(
            [&] {
              compare_arrays({store_a, path, array},
                             {store_b, path, other->second}, options, result);
            },
            [&] { return path.empty() ? "the array" : "array " + path; });
    }
    add(std::move(result));
  }
  for (const auto& [path, array] : b.arrays)
    if (!a.arrays.contains(path) && !a.unread.contains(path))
      add({.name = path, .difference = "only the second has it"});
  return comparison;
}

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

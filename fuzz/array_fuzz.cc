// Reading a whole array of a store, in which everything may be wrong.
#include "base/memory_budget.h"
#include "input.h"
#include "targets.h"
#include "zarr/chunks/array_reader.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk::fuzz {
namespace {

constexpr std::int64_t kMaxBytes = 1 << 20;
constexpr std::int64_t kMaxObjects = 1 << 12;

/// Counts elements and looks at every byte.
class Sink final : public RegionSink {
 public:
  Sink(const Region& region, std::int64_t item_bytes)
      : region_(region), item_bytes_(item_bytes) {}

  std::byte* place(const Region&, const std::vector<int>&) override {
    return nullptr;
  }
  void put(const Region& part, const std::byte* data,
           const Shape& strides) override {
    require(region_.contains(part), "elements from outside the region");
    const Region box = whole(part.extent());
    for_each_point(box, [&](const Shape& point) {
      std::int64_t at = 0;
      for (std::size_t axis = 0; axis < point.size(); ++axis)
        at += point[axis] * strides[axis];
      for (std::int64_t i = 0; i < item_bytes_; ++i)
        sum_ += std::to_integer<unsigned>(data[at + i]);
    });
    count_ += element_count(part);
  }
  void put_fill(const Region& part,
                std::span<const std::byte> element) override {
    require(region_.contains(part), "fill outside the region");
    require(element.size() == static_cast<std::size_t>(item_bytes_),
            "a fill value of another size");
    count_ += element_count(part);
  }
  std::int64_t count() const { return count_; }

 private:
  const Region region_;
  const std::int64_t item_bytes_;
  std::int64_t count_ = 0;
  unsigned sum_ = 0;
};

void read_all(const std::shared_ptr<Store>& store, const std::string& path,
              const ArrayMetadata& metadata) {
  const auto layout = std::make_shared<ArrayLayout>(make_layout(metadata));
  const std::int64_t bytes =
      checked_add(ArrayReader::unit_scratch_bytes(*layout),
                  ArrayReader::object_scratch_bytes(*layout));
  if (bytes > 8 * kMaxBytes) return;
  if (checked_multiply(element_count(layout->shape), layout->item_bytes) >
          kMaxBytes ||
      Grid(layout->shape, layout->chunk_shape).cell_count() > kMaxObjects)
    return;
  MemoryBudget budget(bytes);
  Arena arena = budget.acquire(bytes);
  const ArrayReader reader(store, path, layout, layout->scalars);
  const Region all = whole(layout->shape);
  Sink sink(all, layout->item_bytes);
  StageReport report;
  reader.read(all, sink, arena, report);
  require(sink.count() == element_count(all), "elements are lost");
}

}  // namespace

void fuzz_array(std::string_view input) {
  const auto store = make_store(parse_objects(input));
  Hierarchy hierarchy;
  if (!succeeds([&] { hierarchy = read_hierarchy(*store); })) return;
  for (const auto& [path, metadata] : hierarchy.arrays)
    succeeds([&] { read_all(store, path, metadata); });
}

}  // namespace rechunk::fuzz

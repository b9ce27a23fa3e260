#include "zarr/chunks/array_source_reader.h"

#include <numeric>
#include <utility>

#include "base/strided_copy.h"

namespace rechunk {

ArraySourceReader::ArraySourceReader(
    std::shared_ptr<const ArraySource> source,
    std::shared_ptr<const ArrayLayout> layout,
    const std::vector<DataType::Scalar>& scalars)
    : source_(std::move(source)),
      layout_(std::move(layout)),
      chunks_(layout_->shape, layout_->chunk_shape),
      swap_(layout_->scalars, scalars) {}

std::int64_t ArraySourceReader::unit_scratch_bytes(const ArrayLayout& layout) {
  return checked_add(checked_multiply(2, layout.chunk_bytes()),
                     2 * MemoryBudget::kAlignment);
}

void ArraySourceReader::read(const Region& region, RegionSink& sink,
                             Arena& arena, StageReport& report) const {
  const std::vector<int> c_order_axes = c_order(region.rank());
  for_each_point(chunks_.cells_touching(region), [&](const Shape& chunk) {
    const ArenaScope scope(arena);
    const Region part = intersect(chunks_.cell(chunk), region);
    // Sources give elements in C order.
    std::byte* place = sink.place(part, c_order_axes);
    const std::int64_t bytes = element_count(part) * layout_->item_bytes;
    const std::span<std::byte> buffer =
        place ? std::span(place, static_cast<std::size_t>(bytes))
              : arena.take(bytes);
    source_->read(part, buffer);
    swap_.apply(buffer);
    sink.put(
        part, buffer.data(),
        contiguous_strides(part.extent(), c_order_axes, layout_->item_bytes));
    report.counted.objects_read += 1;
    report.counted.bytes_decoded += layout_->chunk_bytes();
    report.counted.stored_bytes_read += bytes;
  });
}

}  // namespace rechunk

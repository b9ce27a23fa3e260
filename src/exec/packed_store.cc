#include "exec/packed_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "exec/coded_object.h"
#include "exec/packed_store_parts.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

// Written between two beats.
constexpr std::size_t kBeatBytes = 16 << 20;

// Keeps directories of a file store small.
constexpr std::int64_t kObjectsPerFolder = 1000;

}  // namespace

PackedStore::PackedStore(std::shared_ptr<Store> store, Options options)
    : store_(std::move(store)),
      options_(std::move(options)),
      tasks_(options_.shape, options_.component, options_.chunks),
      objects_(options_.shape, options_.chunks) {
  if (!options_.coded) return;
  codec_ = make_light_codec(options_.item_bytes);
  choice_ = std::make_shared<CodingChoice>(options_.disk_ns_per_byte);
}

BlockLayout PackedStore::block_layout(const Region& task) const {
  return BlockLayout::of_pieces(task, options_.layout, options_.axis_order,
                                options_.item_bytes);
}

// Where a disk lets writers wait, it is by chance which of them. So the waiting
// does not count; the choice counts their bytes.
double PackedStore::seconds() const {
  timespec now{};
  clock_gettime(
      options_.disk_ns_per_byte > 0 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC,
      &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string PackedStore::key(std::int64_t task) const {
  return fmt::format("{}/{}/{}", options_.prefix, task / kObjectsPerFolder,
                     task % kObjectsPerFolder);
}

void PackedStore::write(std::int64_t task, const Block& block, Arena& arena,
                        Pulse::Task& pulse, StageReport& report) const {
  Counts& counts = block.has_data() ? report.counted : report.skipped;
  counts.objects_written += 1;
  counts.bytes_encoded += block.layout().bytes();
  const std::string name = key(task);
  report.counted.stored_bytes_written += with_context(
      [&] {
        if (!block.has_data() || !may_be_coded(block.layout().region()))
          return write_raw(name, block, pulse);
        const double begin = seconds();
        const bool coded = choice_->next();
        std::int64_t bytes = coded ? write_coded(name, block, arena, pulse) : 0;
        // The time of a vain try counts for coding, so that it is chosen less
        // often.
        if (bytes == 0) bytes = write_raw(name, block, pulse);
        choice_->tell(coded, block.layout().bytes(), bytes, seconds() - begin);
        return bytes;
      },
      [&] { return "writing intermediate " + store_->describe(name); });
}

// The block lies in memory as the object does, so it is written as it is.
std::int64_t PackedStore::write_raw(const std::string& key, const Block& block,
                                    Pulse::Task& pulse) const {
  const std::span<const std::byte> bytes =
      block.has_data() ? block.memory() : fill_marker(block.layout().bytes());
  // Without a buffer of the store's own.
  if (store_->medium().is_remote) {
    write_object(*store_, key, bytes);
    return static_cast<std::int64_t>(bytes.size());
  }
  const auto writer = store_->open_writer(key);
  for (auto rest = bytes; !rest.empty();) {
    const auto part = rest.first(std::min(rest.size(), kBeatBytes));
    writer->append(part);
    rest = rest.subspan(part.size());
    pulse.beat(static_cast<std::int64_t>(part.size()));
  }
  writer->commit();
  return static_cast<std::int64_t>(bytes.size());
}

// Returns the size of the object. If it would not be smaller than a raw one,
// writes nothing and returns 0.
std::int64_t PackedStore::write_coded(const std::string& key,
                                      const Block& block, Arena& arena,
                                      Pulse::Task& pulse) const {
  const ArenaScope scope(arena);
  const Region& region = block.layout().region();
  const CodedLayout layout(options_.layout, region);
  CodedObjectWriter object(codec_, layout, largest_piece_bytes(region),
                           store_->open_writer(key, layout.header_bytes()),
                           arena);
  std::span<const std::byte> rest = block.memory();
  const Region readers = boxes_touching(region, Shape(options_.shape.size(), 0),
                                        options_.layout.blocks);
  for_each_point(readers, [&](const Shape& reader) {
    object.begin_range();
    for_each_piece(range_of(region, reader), [&](const Region& piece) {
      const auto bytes = static_cast<std::size_t>(bytes_of(piece));
      object.append(rest.first(bytes));
      rest = rest.subspan(bytes);
      pulse.beat(static_cast<std::int64_t>(bytes));
    });
  });
  return object.finish(block.layout().bytes());
}

std::int64_t PackedStore::piece_count(const Region& part) const {
  const Shape& units = options_.layout.units;
  return element_count(boxes_touching(part, Shape(units.size(), 0), units));
}

std::int64_t PackedStore::largest_piece_bytes(const Region& region) const {
  Shape piece = region.extent();
  for (std::size_t axis = 0; axis < piece.size(); ++axis)
    piece[axis] = std::min(piece[axis], options_.layout.units[axis]);
  return element_count(piece) * options_.item_bytes;
}

bool PackedStore::may_be_coded(const Region& object) const {
  // Writers and readers ask this, so it depends on the plan alone.
  return options_.coded &&
         bytes_of(object) >=
             CodedLayout::kShortestPieceBytes * piece_count(object);
}

// What an object and a block of the next stage share.
Region PackedStore::range_of(const Region& object, const Shape& reader) const {
  Shape start = reader;
  for (std::size_t axis = 0; axis < start.size(); ++axis)
    start[axis] *= options_.layout.blocks[axis];
  return intersect(object,
                   clipped_box(start, options_.layout.blocks, options_.shape));
}

std::int64_t PackedStore::bytes_of(const Region& region) const {
  return element_count(region) * options_.item_bytes;
}

bool PackedStore::has(std::int64_t task) const {
  ReadRequest request{.key = key(task)};
  store_->read_one(request);
  const std::int64_t bytes = bytes_of(tasks_.task(task));
  // The size of a coded object cannot be known.
  return request.found &&
         (options_.coded || request.object_bytes == bytes ||
          request.object_bytes ==
              static_cast<std::int64_t>(fill_marker(bytes).size()));
}

void PackedStore::erase(std::int64_t first, std::int64_t stop) const {
  std::vector<std::string> keys;
  for (std::int64_t task = first; task < stop; ++task)
    keys.push_back(key(task));
  store_->erase_many(keys);
}

}  // namespace rechunk

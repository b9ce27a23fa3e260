#include "exec/packed_store.h"

#include <fmt/format.h>

#include <utility>

#include "base/strided_copy.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

// Pieces shorter than this are read together and then copied: a vectored read
// spends more on each than a copy does.
constexpr std::int64_t kShortestScatteredPiece = 1024;

// All that an object of nothing but fill holds. Its size, which no object of
// elements of that task has, tells it; a missing object is an error.
std::span<const std::byte> fill_marker(std::int64_t object_bytes) {
  static constexpr std::byte kMarker[1] = {};
  return std::span(kMarker).first(object_bytes == 1 ? 0 : 1);
}

// Keeps directories of a file store small.
constexpr std::int64_t kObjectsPerFolder = 1000;

}  // namespace

// The part of one object that one block reads.
struct PackedStore::Range {
  Region object;
  Region part;  // What object and block share.
  std::string key;
  std::int64_t offset;
  std::int64_t bytes;
};

PackedStore::PackedStore(std::shared_ptr<Store> store, Options options)
    : store_(std::move(store)),
      options_(std::move(options)),
      tasks_(options_.shape, options_.component, options_.chunks),
      objects_(options_.shape, options_.chunks) {}

BlockLayout PackedStore::block_layout(const Region& task) const {
  return BlockLayout::of_pieces(task, options_.layout, options_.axis_order,
                                options_.item_bytes);
}

std::string PackedStore::key(std::int64_t task) const {
  return fmt::format("{}/{}/{}", options_.prefix, task / kObjectsPerFolder,
                     task % kObjectsPerFolder);
}

void PackedStore::write(std::int64_t task, const Block& block,
                        StageReport& report) const {
  Counts& counts = block.has_data() ? report.counted : report.skipped;
  counts.objects_written += 1;
  counts.bytes_encoded += block.layout().bytes();
  const std::span<const std::byte> bytes =
      block.has_data() ? block.memory() : fill_marker(block.layout().bytes());
  with_context(
      [&] { write_object(*store_, key(task), bytes); },
      [&] { return "writing intermediate " + store_->describe(key(task)); });
  report.counted.stored_bytes_written +=
      static_cast<std::int64_t>(bytes.size());
}

void PackedStore::read(Block& block, Arena& arena, StageReport& report) const {
  const Region& region = block.layout().region();
  Shape reader = region.start;
  for (std::size_t axis = 0; axis < reader.size(); ++axis)
    reader[axis] /= options_.layout.blocks[axis];
  for_each_point(objects_.cells_touching(region), [&](const Shape& writer) {
    Range range;
    range.object = objects_.cell(writer);
    range.part = intersect(range.object, region);
    range.key = key(tasks_.index(writer));
    range.offset = options_.layout.range_offset(range.object, reader) *
                   options_.item_bytes;
    range.bytes = bytes_of(range.part);
    with_context(
        [&] { read_range(range, block, arena, report); },
        [&] { return "reading intermediate " + store_->describe(range.key); });
  });
}

void PackedStore::read_range(const Range& range, Block& block, Arena& arena,
                             StageReport& report) const {
  const ArenaScope scope(arena);
  ReadRequest request{.key = range.key, .offset = range.offset};
  std::span<std::byte> scratch;
  if (!scatter(range, block, request)) {
    scratch = arena.take(range.bytes);
    request.destination = {scratch};
  }
  store_->read_many({&request, 1});
  if (!request.found)
    throw Error(ErrorKind::kIo, "it is missing",
                "temporary data must be left alone until the run ends");
  const bool only_fill =
      request.object_bytes ==
      static_cast<std::int64_t>(fill_marker(bytes_of(range.object)).size());
  Counts& counts = only_fill ? report.skipped : report.counted;
  counts.objects_read += 1;
  counts.bytes_decoded += range.bytes;
  if (only_fill) return block.put_fill(range.part, options_.fill);
  report.counted.stored_bytes_read += request.bytes_read;
  if (request.bytes_read != range.bytes)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("it holds {} bytes, wanted are {} at {}",
                            request.object_bytes, range.bytes, range.offset));
  block.note_data();
  if (!scratch.empty()) put_pieces(range, scratch, block);
}

// Calls visit(piece) for the pieces of a range, in the order of their bytes.
template <class Visit>
void PackedStore::for_each_piece(const Range& range, Visit&& visit) const {
  const Shape& units = options_.layout.units;
  const Region touched =
      boxes_touching(range.part, Shape(units.size(), 0), units);
  for_each_point(touched, [&](const Shape& unit) {
    Shape start = unit;
    for (std::size_t axis = 0; axis < start.size(); ++axis)
      start[axis] *= units[axis];
    visit(intersect(range.part, clipped_box(start, units, options_.shape)));
  });
}

std::int64_t PackedStore::bytes_of(const Region& region) const {
  return element_count(region) * options_.item_bytes;
}

// Lets the read deliver every piece to its place; false where some piece has
// gaps there.
bool PackedStore::scatter(const Range& range, Block& block,
                          ReadRequest& request) const {
  const Shape& units = options_.layout.units;
  const std::int64_t pieces =
      element_count(boxes_touching(range.part, Shape(units.size(), 0), units));
  if (range.bytes < kShortestScatteredPiece * pieces) return false;
  bool placed = true;
  for_each_piece(range, [&](const Region& piece) {
    std::byte* place =
        placed ? block.place(piece, options_.axis_order) : nullptr;
    placed = place != nullptr;
    if (placed)
      request.destination.push_back(
          {place, static_cast<std::size_t>(bytes_of(piece))});
  });
  return placed;
}

void PackedStore::put_pieces(const Range& range,
                             std::span<const std::byte> bytes,
                             Block& block) const {
  const std::byte* at = bytes.data();
  for_each_piece(range, [&](const Region& piece) {
    block.put(piece, at,
              contiguous_strides(piece.extent(), options_.axis_order,
                                 options_.item_bytes));
    at += bytes_of(piece);
  });
}

bool PackedStore::has(std::int64_t task) const {
  ReadRequest request{.key = key(task)};
  store_->read_many({&request, 1});
  return request.found;
}

void PackedStore::erase(std::int64_t task) const { store_->erase(key(task)); }

}  // namespace rechunk

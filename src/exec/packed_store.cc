#include "exec/packed_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/strided_copy.h"
#include "exec/coded_object.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using std::chrono::steady_clock;

// Shorter pieces are read together and then copied. For these, a vectored read
// costs more per piece than a copy.
constexpr std::int64_t kShortestScatteredPiece = 1024;

// The content of an object that would hold only fill. Readers know it by its
// size, because no object with the elements of that task has this size. It
// cannot be left out, because a missing object is an error.
std::span<const std::byte> fill_marker(std::int64_t object_bytes) {
  static constexpr std::byte kMarker[1] = {};
  // If the elements take one byte, the marker must have another size.
  return std::span(kMarker).first(object_bytes == 1 ? 0 : 1);
}

[[noreturn]] void throw_missing() {
  throw Error(ErrorKind::kIo, "it is missing",
              "temporary data must be left alone until the run ends");
}

// Tries to read an object while another process replaces it.
constexpr int kMostTries = 3;

// Written between two beats.
constexpr std::size_t kBeatBytes = 16 << 20;

// Keeps directories of a file store small.
constexpr std::int64_t kObjectsPerFolder = 1000;

}  // namespace

// The part of one object that one block reads.
struct PackedStore::Range {
  Region object;
  Shape reader;  // The block's coordinates.
  Region part;   // What object and block share.
  std::string key;
  std::int64_t offset;
  std::int64_t bytes;
};

PackedStore::PackedStore(std::shared_ptr<Store> store, Options options)
    : store_(std::move(store)),
      options_(std::move(options)),
      tasks_(options_.shape, options_.component, options_.chunks),
      objects_(options_.shape, options_.chunks) {
  if (!options_.coded) return;
  codec_ = make_light_codec(options_.item_bytes);
  choice_ = std::make_shared<CodingChoice>();
}

BlockLayout PackedStore::block_layout(const Region& task) const {
  return BlockLayout::of_pieces(task, options_.layout, options_.axis_order,
                                options_.item_bytes);
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
        const auto begin = steady_clock::now();
        const bool coded = choice_->next();
        std::int64_t bytes = coded ? write_coded(name, block, arena, pulse) : 0;
        // The time of a vain try counts for coding, so that it is chosen less
        // often.
        if (bytes == 0) bytes = write_raw(name, block, pulse);
        choice_->tell(
            coded, block.layout().bytes(),
            std::chrono::duration<double>(steady_clock::now() - begin).count());
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

void PackedStore::read(Block& block, Arena& arena, Pulse::Task& pulse,
                       StageReport& report) const {
  const Region& region = block.layout().region();
  // The block's coordinates, by which each object has a range for it.
  Shape reader = region.start;
  for (std::size_t axis = 0; axis < reader.size(); ++axis)
    reader[axis] /= options_.layout.blocks[axis];
  const Region writers = objects_.cells_touching(region);
  if (!options_.coded &&
      std::min(options_.window, store_->medium().requests) > 1)
    return read_in_window(writers, reader, block, arena, pulse, report);
  for_each_point(writers, [&](const Shape& writer) {
    const Range range = range_between(writer, reader, region);
    with_context(
        [&] { read_patiently(range, block, arena, report); },
        [&] { return "reading intermediate " + store_->describe(range.key); });
    pulse.beat(range.bytes);
  });
}

// What a block of the next stage, which is `region`, reads of one object.
PackedStore::Range PackedStore::range_between(const Shape& writer,
                                              const Shape& reader,
                                              const Region& region) const {
  Range range;
  range.object = objects_.cell(writer);
  range.reader = reader;
  range.part = intersect(range.object, region);
  range.key = key(tasks_.index(writer));
  range.offset =
      options_.layout.range_offset(range.object, reader) * options_.item_bytes;
  range.bytes = bytes_of(range.part);
  return range;
}

// All ranges at once, as far as the window lets them. Pieces that do not lie in
// one part of the block come into a buffer first.
void PackedStore::read_in_window(const Region& writers, const Shape& reader,
                                 Block& block, Arena& arena, Pulse::Task& pulse,
                                 StageReport& report) const {
  const ArenaScope scope(arena);
  const Region& region = block.layout().region();
  const Shape ones(region.start.size(), 1);
  const Grid numbers(writers.extent(), ones);
  const auto slots = static_cast<std::size_t>(
      std::min<std::int64_t>(options_.window, numbers.cell_count()));
  Shape largest = region.extent();
  for (std::size_t axis = 0; axis < largest.size(); ++axis)
    largest[axis] = std::min(largest[axis], options_.chunks[axis]);
  const std::int64_t buffer_bytes =
      element_count(largest) * options_.item_bytes;
  std::vector<Range> ranges(slots);
  std::vector<ReadRequest> requests(slots);
  std::vector<std::span<std::byte>> buffers(slots);
  std::vector<bool> scattered(slots);
  std::int64_t number = 0;
  const auto ask = [&](std::size_t slot) {
    ranges[slot] = range_between(
        element_at(writers.start, numbers.coordinates(number++), ones), reader,
        region);
    ReadRequest& request = requests[slot];
    request.key = ranges[slot].key;
    request.offset = ranges[slot].offset;
    request.destination.clear();
    scattered[slot] = scatter(ranges[slot], block, request);
    if (scattered[slot]) return;
    if (buffers[slot].empty()) buffers[slot] = arena.take(buffer_bytes);
    request.destination = {
        buffers[slot].first(static_cast<std::size_t>(ranges[slot].bytes))};
  };
  for (std::size_t slot = 0; slot < slots; ++slot) ask(slot);
  store_->read_many(requests, [&](ReadRequest& request) {
    const auto slot = static_cast<std::size_t>(&request - requests.data());
    const Range& range = ranges[slot];
    with_context(
        [&] { take_range(range, request, scattered[slot], block, report); },
        [&] { return "reading intermediate " + store_->describe(range.key); });
    pulse.beat(range.bytes);
    if (number == numbers.cell_count()) return false;
    ask(slot);
    return true;
  });
}

// A task that runs twice may replace an object while it is read.
void PackedStore::read_patiently(const Range& range, Block& block, Arena& arena,
                                 StageReport& report) const {
  for (int tries = 1;; ++tries) {
    try {
      return read_range(range, block, arena, report);
    } catch (const Error& error) {
      if (!error.retryable() || tries == kMostTries) throw;
    }
  }
}

bool PackedStore::is_marker(const Range& range,
                            std::int64_t object_bytes) const {
  return object_bytes ==
         static_cast<std::int64_t>(fill_marker(bytes_of(range.object)).size());
}

// Reads the range of a coded object. If the object is raw or a marker, does
// nothing and returns false.
bool PackedStore::read_coded(const Range& range, Block& block, Arena& arena,
                             StageReport& report) const {
  const ArenaScope scope(arena);
  const CodedLayout layout(options_.layout, range.object);
  CodedRangeReader pieces(*store_, range.key, layout, range.reader,
                          piece_count(range.part), arena);
  if (!pieces.found()) throw_missing();
  if (pieces.object_bytes() == bytes_of(range.object) ||
      is_marker(range, pieces.object_bytes()))
    return false;
  const std::int64_t most_bytes = largest_piece_bytes(range.object);
  const std::span<std::byte> scratch = arena.take(most_bytes);
  for_each_piece(range.part, [&](const Region& piece) {
    const auto bytes = static_cast<std::size_t>(bytes_of(piece));
    std::byte* place = block.place(piece, options_.axis_order);
    const std::span<std::byte> decoded =
        place ? std::span(place, bytes) : scratch.first(bytes);
    codec_.decode(pieces.next(most_bytes), decoded, {});
    block.put(piece, decoded.data(),
              contiguous_strides(piece.extent(), options_.axis_order,
                                 options_.item_bytes));
  });
  report.counted.objects_read += 1;
  report.counted.bytes_decoded += range.bytes;
  report.counted.stored_bytes_read += pieces.bytes_read();
  return true;
}

void PackedStore::read_range(const Range& range, Block& block, Arena& arena,
                             StageReport& report) const {
  if (may_be_coded(range.object) && read_coded(range, block, arena, report))
    return;
  const ArenaScope scope(arena);
  ReadRequest request{.key = range.key, .offset = range.offset};
  const bool scattered = scatter(range, block, request);
  if (!scattered) request.destination = {arena.take(range.bytes)};
  store_->read_one(request);
  take_range(range, request, scattered, block, report);
}

// What came is in its place already, or in one buffer.
void PackedStore::take_range(const Range& range, const ReadRequest& request,
                             bool scattered, Block& block,
                             StageReport& report) const {
  if (!request.found) throw_missing();
  const bool only_fill = is_marker(range, request.object_bytes);
  Counts& counts = only_fill ? report.skipped : report.counted;
  counts.objects_read += 1;
  counts.bytes_decoded += range.bytes;
  if (only_fill) return block.put_fill(range.part, options_.fill);
  report.counted.stored_bytes_read += request.bytes_read;
  if (request.bytes_read != range.bytes)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("it holds {} bytes, wanted are {} at {}",
                            request.object_bytes, range.bytes, range.offset));
  // A scattered read has brought the elements to their places. No `put`
  // follows.
  block.note_data();
  if (!scattered) put_pieces(range, request.destination.front(), block);
}

// Calls visit(piece) for the pieces of a range, in the order of their bytes.
template <class Visit>
void PackedStore::for_each_piece(const Region& part, Visit&& visit) const {
  const Shape& units = options_.layout.units;
  const Region touched = boxes_touching(part, Shape(units.size(), 0), units);
  for_each_point(touched, [&](const Shape& unit) {
    Shape start = unit;
    for (std::size_t axis = 0; axis < start.size(); ++axis)
      start[axis] *= units[axis];
    visit(intersect(part, clipped_box(start, units, options_.shape)));
  });
}

std::int64_t PackedStore::bytes_of(const Region& region) const {
  return element_count(region) * options_.item_bytes;
}

// Lets the read bring every piece to its place. False if a piece has gaps
// there.
bool PackedStore::scatter(const Range& range, Block& block,
                          ReadRequest& request) const {
  if (range.bytes < kShortestScatteredPiece * piece_count(range.part))
    return false;
  bool placed = true;
  for_each_piece(range.part, [&](const Region& piece) {
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
  for_each_piece(range.part, [&](const Region& piece) {
    block.put(piece, at,
              contiguous_strides(piece.extent(), options_.axis_order,
                                 options_.item_bytes));
    at += bytes_of(piece);
  });
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

void PackedStore::erase(std::int64_t task) const { store_->erase(key(task)); }

}  // namespace rechunk

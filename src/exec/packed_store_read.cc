// Reading packed intermediates: the ranges of one block from many objects.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/strided_copy.h"
#include "exec/coded_object.h"
#include "exec/packed_store_parts.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

// Shorter pieces are read together and then copied. For these, a vectored read
// costs more per piece than a copy.
constexpr std::int64_t kShortestScatteredPiece = 1024;

[[noreturn]] void throw_missing() {
  throw Error(ErrorKind::kIo, "it is missing",
              "temporary data must be left alone until the run ends");
}

// Tries to read an object while another process replaces it.
constexpr int kMostTries = 3;

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

}  // namespace rechunk

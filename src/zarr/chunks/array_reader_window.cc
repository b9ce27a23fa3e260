// Reading with several chunks in flight, for stores that answer late.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "zarr/chunks/array_reader_call.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
namespace {

// Inner chunks whose places are known at a time, when shards are read in a
// window.
constexpr std::size_t kMostPieces = 1024;

}  // namespace

// Keeps `window_` chunks in flight, of `count` that `next()` names one after
// the other. Each is decoded as it comes, while others are on their way.
template <class Next>
void ArrayReader::read_in_window(std::int64_t count, Next&& next,
                                 Call& call) const {
  const ArenaScope scope(call.arena);
  const auto slots =
      static_cast<std::size_t>(std::min<std::int64_t>(window_, count));
  std::vector<Piece> pieces(slots);
  std::vector<ReadRequest> requests(slots);
  std::vector<std::span<std::byte>> buffers(slots);
  const auto ask = [&](std::size_t slot) {
    pieces[slot] = next();
    const Piece& piece = pieces[slot];
    requests[slot].key = piece.key;
    requests[slot].offset = piece.offset;
    requests[slot].destination = {
        piece.bytes < 0
            ? buffers[slot]
            : buffers[slot].first(static_cast<std::size_t>(piece.bytes))};
    --count;
  };
  for (std::size_t slot = 0; slot < slots; ++slot) {
    buffers[slot] = call.arena.take(request_bytes(*layout_));
    ask(slot);
  }
  store_->read_many(requests, [&](ReadRequest& request) {
    const auto slot = static_cast<std::size_t>(&request - requests.data());
    with_context([&] { take_chunk(pieces[slot], request, call); },
                 [&] { return "reading " + store_->describe(request.key); });
    if (count == 0) return false;
    ask(slot);
    return true;
  });
}

void ArrayReader::read_objects_in_window(Call& call) const {
  const Region objects = objects_.cells_touching(call.region);
  const Grid numbers(objects.extent(), Shape(objects.start.size(), 1));
  std::int64_t number = 0;
  const auto next = [&] {
    const Shape object = element_at(objects.start, numbers.coordinates(number),
                                    Shape(objects.start.size(), 1));
    ++number;
    return Piece{objects_.cell(object),
                 join_key(path_, chunk_key(layout_->key_encoding, object))};
  };
  read_in_window(numbers.cell_count(), next, call);
}

void ArrayReader::take_chunk(const Piece& piece, const ReadRequest& request,
                             Call& call) const {
  const ArenaScope scope(call.arena);
  const bool raw = layout_->codecs.empty();
  const bool is_object = piece.bytes < 0;
  if (is_object && !call.count_object(request)) return skip(piece.chunk, call);
  if (!request.found) throw_changed("it is gone");
  const std::span<std::byte> bytes = request.destination.front();
  if (is_object) {
    check_size(request.object_bytes);
  } else {
    call.report.counted.stored_bytes_read += request.bytes_read;
  }
  check_complete(request, is_object ? request.object_bytes : piece.bytes);
  const auto encoded =
      bytes.first(static_cast<std::size_t>(request.bytes_read));
  const auto take = [&] {
    if (!raw) return decode(piece.chunk, encoded, call);
    const Region wanted = intersect(piece.chunk, call.region);
    call.report.counted.bytes_decoded += layout_->chunk_bytes();
    deliver(wanted, whole_chunk(piece.chunk), encoded, call);
  };
  if (is_object) return take();
  with_context(take, [&] {
    return fmt::format("inner chunk at byte {}", piece.offset);
  });
}

// The same of the inner chunks of a shard, some at a time.
void ArrayReader::read_box_in_window(const Box& box, Call& call) const {
  const ShardLevel& level = layout_->shards[box.level];
  const Region wanted = intersect(box.region, call.region);
  std::vector<Piece> pieces;
  const auto read = [&] {
    // In the order of the object: neighbours may become one request.
    std::ranges::sort(pieces, {}, &Piece::offset);
    auto piece = pieces.begin();
    read_in_window(
        static_cast<std::int64_t>(pieces.size()),
        [&] { return std::move(*piece++); }, call);
    pieces.clear();
  };
  for_each_point(
      boxes_touching(wanted, box.region.start, level.chunk_shape),
      [&](const Shape& coordinates) {
        const Region part = clipped_box(
            element_at(box.region.start, coordinates, level.chunk_shape),
            level.chunk_shape, layout_->shape);
        const auto entry =
            box.index.entry(box.index.position(coordinates), box.bytes);
        if (!entry) return skip(part, call);
        const ShardIndex::Entry place{box.offset + entry->offset, entry->bytes};
        check_inner_size(place);
        pieces.push_back({part, box.key, place.offset, place.bytes});
        if (pieces.size() == kMostPieces) read();
      });
  if (!pieces.empty()) read();
}

}  // namespace rechunk

// Reading with several chunks in flight, for stores that answer late.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "zarr/chunks/array_reader_call.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
namespace {

// Inner chunks of several shards whose places are known at a time. The budget
// does not count these.
constexpr std::int64_t kMostPieces = 1024;

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

// Adds the inner chunks of a shard that the call wants. If they are many, reads
// those that are there.
void ArrayReader::add_pieces(const Box& box, std::vector<Piece>& pieces,
                             Call& call) const {
  const Shape& chunks = layout_->shards[box.level].chunk_shape;
  for_each_point(
      boxes_touching(intersect(box.region, call.region), box.region.start,
                     chunks),
      [&](const Shape& coordinates) {
        const Region part =
            clipped_box(element_at(box.region.start, coordinates, chunks),
                        chunks, layout_->shape);
        const auto entry =
            box.index.entry(box.index.position(coordinates), box.bytes);
        if (!entry) return skip(part, call);
        const ShardIndex::Entry place{box.offset + entry->offset, entry->bytes};
        check_inner_size(place);
        if (std::cmp_equal(pieces.size(), kMostPieces))
          read_pieces(pieces, call);
        pieces.push_back({part, box.key, place.offset, place.bytes});
      });
}

void ArrayReader::read_pieces(std::vector<Piece>& pieces, Call& call) const {
  if (pieces.empty()) return;
  // In the order of the object: neighbours may become one request.
  std::ranges::sort(pieces, [](const Piece& a, const Piece& b) {
    return std::tie(a.key, a.offset) < std::tie(b.key, b.offset);
  });
  auto piece = pieces.begin();
  read_in_window(
      static_cast<std::int64_t>(pieces.size()),
      [&] { return std::move(*piece++); }, call);
  pieces.clear();
}

void ArrayReader::read_box_in_window(const Box& box, Call& call) const {
  std::vector<Piece> pieces;
  add_pieces(box, pieces, call);
  read_pieces(pieces, call);
}

// Shards of which all chunks that are wanted are known at a time. Their indices
// use the memory into which the chunks come then.
std::int64_t ArrayReader::shards_at_once(const Region& region) const {
  if (window_ == 1 || layout_->shards.size() != 1) return 1;
  const ShardLevel& level = layout_->shards[0];
  std::int64_t wanted = 1;  // Chunks of one shard.
  for (std::size_t axis = 0; axis < region.start.size(); ++axis)
    wanted = checked_multiply(
        wanted,
        std::min(layout_->object_shape[axis] / level.chunk_shape[axis],
                 ceil_div(region.extent()[axis], level.chunk_shape[axis]) + 1));
  const std::int64_t index_bytes = MemoryBudget::aligned(level.index_bytes);
  return std::min({static_cast<std::int64_t>(window_), kMostPieces / wanted,
                   window_ * request_bytes(*layout_) / index_bytes});
}

// The indices of some shards come at once, then the chunks of all of them.
void ArrayReader::read_shards_in_window(std::int64_t at_once,
                                        Call& call) const {
  const ShardLevel& level = layout_->shards[0];
  const Region objects = objects_.cells_touching(call.region);
  const Shape ones(objects.start.size(), 1);
  const Grid numbers(objects.extent(), ones);
  for (std::int64_t first = 0; first < numbers.cell_count(); first += at_once) {
    const std::int64_t stop = std::min(first + at_once, numbers.cell_count());
    std::vector<Piece> pieces;
    {
      const ArenaScope scope(call.arena);
      std::vector<ReadRequest> requests;
      std::vector<Region> boxes;
      for (std::int64_t number = first; number < stop; ++number) {
        const Shape object =
            element_at(objects.start, numbers.coordinates(number), ones);
        boxes.push_back(objects_.cell(object));
        requests.push_back(index_request(
            level, join_key(path_, chunk_key(layout_->key_encoding, object)),
            call.arena.take(level.index_bytes)));
      }
      store_->read_all(requests);
      for (std::size_t at = 0; at < requests.size(); ++at) {
        const ReadRequest& request = requests[at];
        with_context(
            [&] {
              if (!call.count_object(request)) return skip(boxes[at], call);
              ShardIndex index = *checked_index(level, request);
              add_pieces(
                  {request.key, 0, boxes[at], 0, request.object_bytes, index},
                  pieces, call);
            },
            [&] { return "reading " + store_->describe(request.key); });
      }
    }
    read_pieces(pieces, call);
  }
}

}  // namespace rechunk

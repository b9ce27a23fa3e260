#include "zarr/chunks/array_writer.h"

#include <algorithm>
#include <utility>

#include "base/strided_copy.h"
#include "rechunk/error.h"
#include "zarr/chunks/object_marks.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
namespace {

// Upper bound of an encoded box: a chunk (level = shards.size()), or a shard
// of that level with its index.
std::int64_t max_box_bytes(const ArrayLayout& layout, std::size_t level) {
  if (level == layout.shards.size())
    return layout.codecs.max_encoded_bytes(layout.chunk_bytes());
  const ShardLevel& shard = layout.shards[level];
  // Twice the index: it is built at the end before it goes to the start.
  return checked_add(2 * shard.index_bytes,
                     checked_multiply(element_count(shard.chunk_counts),
                                      max_box_bytes(layout, level + 1)));
}

// Bytes at the start of an object that are written last.
std::int64_t header_bytes(const ArrayLayout& layout) {
  const bool at_start =
      !layout.shards.empty() && layout.shards[0].index_at_start;
  return at_start ? layout.shards[0].index_bytes : 0;
}

}  // namespace

ArrayWriter::ArrayWriter(std::shared_ptr<Store> store, std::string path,
                         std::shared_ptr<const ArrayLayout> layout,
                         EmptyChunks empty_chunks)
    : store_(std::move(store)),
      path_(std::move(path)),
      layout_(std::move(layout)),
      objects_(layout_->shape, layout_->object_shape),
      empty_chunks_(empty_chunks) {}

std::int64_t ArrayWriter::unit_scratch_bytes(const ArrayLayout& layout) {
  const std::size_t level = layout.shards.empty() ? 0 : 1;
  // Such chunks are written right from the block.
  if (layout.codecs.empty() && layout.shards.size() < 2) return 0;
  return checked_add(
      checked_add(max_box_bytes(layout, level), 4 * MemoryBudget::kAlignment),
      layout.codecs.scratch_bytes(layout.chunk_bytes()));
}

std::int64_t ArrayWriter::object_scratch_bytes(const ArrayLayout& layout) {
  return layout.shards.empty()
             ? 0
             : MemoryBudget::aligned(layout.shards[0].index_bytes);
}

std::int64_t ArrayWriter::request_bytes(const ArrayLayout& layout) {
  if (!layout.shards.empty()) return 0;
  if (layout.codecs.empty()) return 1;
  return MemoryBudget::aligned(
      layout.codecs.max_encoded_bytes(layout.chunk_bytes()));
}

std::span<const std::byte> ArrayWriter::left_out() const {
  if (empty_chunks_ == EmptyChunks::kWrite) return {};
  return layout_->fill;
}

bool ArrayWriter::is_empty(std::span<const std::byte> chunk) const {
  return empty_chunks_ != EmptyChunks::kWrite &&
         holds_only(chunk, layout_->fill);
}

std::string ArrayWriter::key_of(const Shape& object) const {
  return join_key(path_, chunk_key(layout_->key_encoding, object));
}

void ArrayWriter::write_chunk(const Shape& object,
                              std::span<const std::byte> chunk, Arena& arena,
                              StageReport& report) const {
  const std::string key = key_of(object);
  if (leaves_out(key, chunk, report)) return;
  const ArenaScope scope(arena);
  const auto output = layout_->codecs.empty()
                          ? std::span<std::byte>()
                          : arena.take(layout_->codecs.max_encoded_bytes(
                                static_cast<std::int64_t>(chunk.size())));
  const WriteRequest request{key, encode(chunk, output, arena)};
  with_context([&] { write_object(*store_, key, request.bytes); },
               [&] { return "writing " + store_->describe(key); });
  note(request, report);
}

void ArrayWriter::write_chunks(const Region& cells, const ChunkBytes& chunks,
                               int window, Arena& arena,
                               StageReport& report) const {
  const Grid numbers(cells.extent(), Shape(cells.start.size(), 1));
  const ArenaScope scope(arena);
  std::vector<WriteRequest> requests;
  std::vector<std::span<std::byte>> outputs;
  std::int64_t number = 0;
  // Encodes the next chunk that is not left out; false after the last.
  const auto ask = [&](WriteRequest& request, std::span<std::byte> output) {
    while (number < numbers.cell_count()) {
      const Shape cell = element_at(cells.start, numbers.coordinates(number++),
                                    Shape(cells.start.size(), 1));
      const auto chunk = chunks(cell);
      request.key = key_of(cell);
      if (leaves_out(request.key, chunk, report)) continue;
      request.bytes = encode(chunk, output, arena);
      return true;
    }
    return false;
  };
  for (int slot = 0; slot < window && number < numbers.cell_count(); ++slot) {
    WriteRequest request;
    const auto output = layout_->codecs.empty()
                            ? std::span<std::byte>()
                            : arena.take(request_bytes(*layout_));
    if (!ask(request, output)) break;
    requests.push_back(std::move(request));
    outputs.push_back(output);
  }
  store_->write_many(requests, [&](WriteRequest& request) {
    note(request, report);
    return ask(request,
               outputs[static_cast<std::size_t>(&request - requests.data())]);
  });
}

// True, and counted, if nothing is to be written for the chunk.
bool ArrayWriter::leaves_out(const std::string& key,
                             std::span<const std::byte> chunk,
                             StageReport& report) const {
  const bool empty = is_empty(chunk);
  Counts& counts = empty ? report.skipped : report.counted;
  counts.objects_written += 1;
  counts.bytes_encoded += layout_->chunk_bytes();
  if (empty && empty_chunks_ == EmptyChunks::kErase) store_->erase(key);
  return empty;
}

// Into `output`, or the chunk itself if it has no codecs.
std::span<const std::byte> ArrayWriter::encode(std::span<const std::byte> chunk,
                                               std::span<std::byte> output,
                                               Arena& arena) const {
  if (layout_->codecs.empty()) return chunk;
  const ArenaScope scope(arena);
  const auto buffer = arena.take(
      layout_->codecs.buffer_bytes(static_cast<std::int64_t>(chunk.size())));
  return output.first(
      static_cast<std::size_t>(layout_->codecs.encode(chunk, output, buffer)));
}

void ArrayWriter::note(const WriteRequest& written, StageReport& report) {
  const auto bytes = static_cast<std::int64_t>(written.bytes.size());
  report.counted.stored_bytes_written += bytes;
  note_written(report, written.key, bytes, content_hash(written.bytes));
}

void ArrayWriter::note_objects(const Region& region,
                               std::span<std::byte> buffer,
                               ObjectSums& sums) const {
  for_each_point(objects_.cells_touching(region), [&](const Shape& object) {
    note_existing(sums, *store_, key_of(object), header_bytes(*layout_),
                  buffer);
  });
}

std::unique_ptr<ShardWriter> ArrayWriter::open_shard(const Shape& object,
                                                     Arena& arena,
                                                     IdleThreads* idle) const {
  return std::make_unique<ShardWriter>(*this, object, arena, idle);
}

ShardWriter::ShardWriter(const ArrayWriter& writer, const Shape& object,
                         Arena& arena, IdleThreads* idle)
    : writer_(writer),
      layout_(writer.layout()),
      region_(writer.objects().cell(object)),
      object_(*writer.store_, writer.key_of(object), layout_.shards[0],
              arena.take(layout_.shards[0].index_bytes),
              writer.empty_chunks_ == EmptyChunks::kErase),
      idle_(idle) {}

void ShardWriter::append(const Region& region, const ChunkBytes& chunks,
                         Arena& arena, StageReport& report) {
  const Shape& unit = layout_.shards[0].chunk_shape;
  const Region units = boxes_touching(region, region_.start, unit);
  const Grid numbers(units.extent(), Shape(unit.size(), 1));
  Turns turns;
  const auto part = [&](std::int64_t number, Arena& own) {
    Shape coordinates;
    StageReport counted;
    std::span<const std::byte> encoded;
    try {
      coordinates = element_at(units.start, numbers.coordinates(number),
                               Shape(unit.size(), 1));
      encoded = encode_unit(element_at(region_.start, coordinates, unit),
                            chunks, own, counted);
    } catch (...) {
      // Later units wait for this one. They must not wait forever.
      turns.give_up();
      throw;
    }
    // Threads encode in any order. The bytes of the shard must not depend on
    // it.
    turns.in_turn(number, [&] {
      report += counted;
      append_unit(coordinates, encoded);
    });
  };
  with_context(
      [&] {
        if (idle_) return idle_->run(numbers.cell_count(), part, arena);
        for (std::int64_t number = 0; number < numbers.cell_count(); ++number) {
          const ArenaScope scope(arena);
          part(number, arena);
        }
      },
      [&] { return "writing " + object_.describe(); });
}

// A chunk or a shard within this one; nothing if it holds only the fill value.
std::span<const std::byte> ShardWriter::encode_unit(const Shape& start,
                                                    const ChunkBytes& chunks,
                                                    Arena& arena,
                                                    StageReport& report) {
  if (layout_.codecs.empty() && layout_.shards.size() == 1) {
    // Without codecs the chunk is appended from the block, without a copy.
    const std::span<const std::byte> chunk = chunks(start);
    const bool empty = writer_.is_empty(chunk);
    (empty ? report.skipped : report.counted).bytes_encoded +=
        layout_.chunk_bytes();
    return empty ? std::span<const std::byte>() : chunk;
  }
  const auto output = arena.take(max_box_bytes(layout_, 1));
  return output.first(static_cast<std::size_t>(
      encode_box(1, start, chunks, output, arena, report)));
}

void ShardWriter::append_unit(const Shape& coordinates,
                              std::span<const std::byte> encoded) {
  if (encoded.empty()) return;
  object_.add(coordinates, {0, static_cast<std::int64_t>(encoded.size())});
  object_.append(encoded);
}

// Encodes a chunk, or a shard within a shard, into `output`; returns its size,
// 0 if it holds only the fill value.
std::int64_t ShardWriter::encode_box(std::size_t level, const Shape& start,
                                     const ChunkBytes& chunks,
                                     std::span<std::byte> output, Arena& arena,
                                     StageReport& report) {
  if (level == layout_.shards.size())
    return encode_chunk(start, chunks, output, arena, report);
  const ShardLevel& shard = layout_.shards[level];
  const ArenaScope scope(arena);
  const Region box =
      clipped_box(start, layout_.shards[level - 1].chunk_shape, layout_.shape);
  const auto index_size = static_cast<std::size_t>(shard.index_bytes);
  const std::size_t begin = shard.index_at_start ? index_size : 0;
  // Where the index goes may depend on the sizes of the chunks. So it is built
  // at the end of `output` and moved afterwards.
  ShardIndex index(shard, output.last(index_size));
  index.clear();
  std::size_t at = begin;
  for_each_point(
      boxes_touching(box, start, shard.chunk_shape),
      [&](const Shape& coordinates) {
        const auto room = output.first(output.size() - index_size).subspan(at);
        const std::int64_t bytes = encode_box(
            level + 1, element_at(start, coordinates, shard.chunk_shape),
            chunks, room, arena, report);
        if (bytes == 0) return;
        index.set(index.position(coordinates),
                  {static_cast<std::int64_t>(at), bytes});
        at += static_cast<std::size_t>(bytes);
      });
  if (at == begin) return 0;
  index.seal();
  const auto built = output.last(index_size);
  // `max_box_bytes` has room for both, so the two places do not overlap.
  std::copy(built.begin(), built.end(),
            output.begin() +
                static_cast<std::ptrdiff_t>(shard.index_at_start ? 0 : at));
  return static_cast<std::int64_t>(shard.index_at_start ? at : at + index_size);
}

std::int64_t ShardWriter::encode_chunk(const Shape& start,
                                       const ChunkBytes& chunks,
                                       std::span<std::byte> output,
                                       Arena& arena, StageReport& report) {
  const std::span<const std::byte> chunk = chunks(start);
  const std::int64_t bytes = layout_.chunk_bytes();
  const bool empty = writer_.is_empty(chunk);
  (empty ? report.skipped : report.counted).bytes_encoded += bytes;
  if (empty) return 0;
  const ArenaScope scope(arena);
  return layout_.codecs.encode(chunk, output,
                               arena.take(layout_.codecs.buffer_bytes(bytes)));
}

void ShardWriter::finish(StageReport& report) { object_.finish(report); }

}  // namespace rechunk

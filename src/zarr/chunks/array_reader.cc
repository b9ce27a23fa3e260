#include "zarr/chunks/array_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/strided_copy.h"
#include "rechunk/error.h"
#include "zarr/chunks/array_reader_call.h"
#include "zarr/chunks/raw_parts.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
std::int64_t encoded_capacity(const ArrayLayout& layout) {
  const std::int64_t bytes =
      layout.codecs.max_encoded_bytes(layout.chunk_bytes());
  return checked_add(bytes, bytes / 16 + 4096);
}

namespace {

// Of larger chunks without codecs, what is wanted is read alone.
constexpr std::int64_t kLargestWholeRawChunk = 8 << 20;

}  // namespace

ArrayReader::ArrayReader(std::shared_ptr<const Store> store, std::string path,
                         std::shared_ptr<const ArrayLayout> layout,
                         const std::vector<DataType::Scalar>& scalars,
                         int window)
    : store_(std::move(store)),
      path_(std::move(path)),
      layout_(std::move(layout)),
      objects_(layout_->shape, layout_->object_shape),
      window_(request_bytes(*layout_) > 0 ? window : 1),
      swap_(layout_->scalars, scalars),
      fill_(layout_->fill) {
  swap_.apply(fill_);
}

std::int64_t ArrayReader::unit_scratch_bytes(const ArrayLayout& layout) {
  if (layout.codecs.empty())
    return MemoryBudget::aligned(slab_bytes(
        {{}, layout.chunk_shape, layout.axis_order, layout.item_bytes}));
  return checked_add(
      checked_add(layout.chunk_bytes(), encoded_capacity(layout)),
      checked_add(layout.codecs.scratch_bytes(layout.chunk_bytes()),
                  4 * MemoryBudget::kAlignment));
}

std::int64_t ArrayReader::spare_bytes(const ArrayLayout& layout) {
  const bool possible = layout.shards.empty() && !layout.codecs.empty();
  return possible ? encoded_capacity(layout) : 0;
}

std::int64_t ArrayReader::request_bytes(const ArrayLayout& layout) {
  if (!layout.codecs.empty())
    return MemoryBudget::aligned(encoded_capacity(layout));
  return layout.chunk_bytes() <= kLargestWholeRawChunk
             ? MemoryBudget::aligned(layout.chunk_bytes())
             : 0;
}

std::int64_t ArrayReader::object_scratch_bytes(const ArrayLayout& layout) {
  std::int64_t bytes = 0;
  for (const ShardLevel& level : layout.shards)
    bytes = checked_add(bytes, MemoryBudget::aligned(level.index_bytes));
  return bytes;
}

// From here, read_chunk_object or read_shard_object finds the encoded bytes. A
// shard leads through read_box to its chunks. Then `decode` and `deliver` give
// the elements to the sink. Chunks without codecs take the way of read_raw.
void ArrayReader::read(const Region& region, RegionSink& sink, Arena& arena,
                       StageReport& report) const {
  Call call{region, sink, arena, report};
  if (window_ > 1 && layout_->shards.empty())
    return read_objects_in_window(call);
  if (const std::int64_t shards = shards_at_once(region); shards > 1)
    return read_shards_in_window(shards, call);
  for_each_point(objects_.cells_touching(region), [&](const Shape& object) {
    const std::string key =
        join_key(path_, chunk_key(layout_->key_encoding, object));
    const Region box = objects_.cell(object);
    with_context(
        [&] {
          if (layout_->shards.empty())
            read_chunk_object(box, key, call);
          else
            read_shard_object(box, key, call);
        },
        [&] { return "reading " + store_->describe(key); });
  });
}

std::int64_t ArrayReader::spare_bytes(const Region& region) const {
  const Region objects = objects_.cells_touching(region);
  const bool alone = !region.empty() && element_count(objects.extent()) == 1 &&
                     region == objects_.cell(objects.start);
  return alone ? spare_bytes(*layout_) : 0;
}

void ArrayReader::visit_objects(const Region& region,
                                const VisitObject& visit) const {
  std::vector<ReadRequest> requests;
  for_each_point(objects_.cells_touching(region), [&](const Shape& object) {
    requests.push_back(
        {.key = join_key(path_, chunk_key(layout_->key_encoding, object))});
  });
  store_->read_all(requests);
  for (const ReadRequest& request : requests) visit(request);
}

// Codecs decode whole chunks. From chunks without codecs, only the wanted
// elements are read.
std::int64_t ArrayReader::decoded_bytes(const Region& wanted,
                                        const Region& box) const {
  if (layout_->codecs.empty() && window_ == 1)
    return element_count(wanted) * layout_->item_bytes;
  return element_count(
             boxes_touching(wanted, box.start, layout_->chunk_shape)) *
         layout_->chunk_bytes();
}

// `box` is a chunk or a shard that is missing.
void ArrayReader::skip(const Region& box, Call& call) const {
  const Region wanted = intersect(box, call.region);
  if (wanted.empty()) return;
  call.report.skipped.bytes_decoded += decoded_bytes(wanted, box);
  call.sink.put_fill(wanted, fill_);
}

// A chunk is decoded right into the sink if all of it is wanted and the sink
// keeps it in one piece. But the sink's memory may hold the encoded bytes.
// Then, and in all other cases, it is decoded into the arena.
std::span<std::byte> ArrayReader::decode_buffer(const Region& chunk,
                                                Call& call) const {
  const auto bytes = layout_->chunk_bytes();
  if (!call.sink_holds_encoded && chunk.extent() == layout_->chunk_shape &&
      call.region.contains(chunk))
    if (std::byte* place = call.sink.place(chunk, layout_->axis_order))
      return {place, static_cast<std::size_t>(bytes)};
  return call.arena.take(bytes);
}

// `memory` holds the elements of `box` without gaps.
void ArrayReader::deliver(const Region& wanted, const Region& box,
                          std::span<std::byte> memory, Call& call) const {
  swap_.apply(memory);
  const Shape strides = contiguous_strides(box.extent(), layout_->axis_order,
                                           layout_->item_bytes);
  call.sink.put(wanted, byte_at(memory.data(), box, wanted, strides), strides);
}

void ArrayReader::decode(const Region& chunk,
                         std::span<const std::byte> encoded, Call& call) const {
  const std::span<std::byte> decoded = decode_buffer(chunk, call);
  const std::span<std::byte> buffer =
      call.arena.take(layout_->codecs.buffer_bytes(layout_->chunk_bytes()));
  layout_->codecs.decode(encoded, decoded, buffer);
  call.report.counted.bytes_decoded += layout_->chunk_bytes();
  deliver(intersect(chunk, call.region), whole_chunk(chunk), decoded, call);
}

std::span<std::byte> ArrayReader::encoded_buffer(Call& call) const {
  const std::int64_t bytes = encoded_capacity(*layout_);
  std::span<std::byte> spare;
  if (spare_bytes(call.region) > 0) spare = call.sink.spare(call.region, bytes);
  call.sink_holds_encoded = !spare.empty();
  return call.sink_holds_encoded ? spare.first(static_cast<std::size_t>(bytes))
                                 : call.arena.take(bytes);
}

void ArrayReader::read_chunk_object(const Region& chunk, const std::string& key,
                                    Call& call) const {
  const ArenaScope scope(call.arena);
  if (layout_->codecs.empty()) return read_raw_object(chunk, key, call);
  const std::span<std::byte> bytes = encoded_buffer(call);
  // A buffer for the largest possible chunk saves a request for its size.
  ReadRequest request{.key = key, .destination = {bytes}};
  store_->read_one(request);
  if (!call.count_object(request)) return skip(chunk, call);
  check_size(request.object_bytes);
  check_complete(request, request.object_bytes);
  decode(chunk, bytes.first(static_cast<std::size_t>(request.bytes_read)),
         call);
}

void ArrayReader::read_raw_object(const Region& chunk, const std::string& key,
                                  Call& call) const {
  const bool found = read_raw(chunk, key, 0, call);
  Counts& counts = found ? call.report.counted : call.report.skipped;
  counts.objects_read += 1;
  if (!found) skip(chunk, call);
}

// Reads the wanted part of a chunk without codecs. The chunk begins at byte
// `offset` of an object. False if there is no such object.
bool ArrayReader::read_raw(const Region& chunk, const std::string& key,
                           std::int64_t offset, Call& call) const {
  const RawChunk raw{chunk, layout_->chunk_shape, layout_->axis_order,
                     layout_->item_bytes};
  bool found = true, began = false;
  for_each_slab(raw, intersect(chunk, call.region), [&](const Slab& slab) {
    // The visitor cannot end the loop, so it passes over the other slabs.
    if (!found) return;
    const ArenaScope scope(call.arena);
    std::byte* place = slab.part == slab.box
                           ? call.sink.place(slab.part, layout_->axis_order)
                           : nullptr;
    const auto bytes =
        static_cast<std::size_t>(slab.run_bytes) * slab.runs.size();
    const std::span<std::byte> memory =
        place ? std::span(place, bytes)
              : call.arena.take(static_cast<std::int64_t>(bytes));
    found = read_runs(slab, key, offset, memory, call);
    if (!found && began) throw_changed("it is gone");
    if (!found) return;
    began = true;
    call.report.counted.bytes_decoded += decoded_bytes(slab.part, slab.part);
    deliver(slab.part, slab.box, memory, call);
  });
  return found;
}

bool ArrayReader::read_runs(const Slab& slab, const std::string& key,
                            std::int64_t offset, std::span<std::byte> memory,
                            Call& call) const {
  const auto run_bytes = static_cast<std::size_t>(slab.run_bytes);
  std::vector<ReadRequest> requests(slab.runs.size());
  for (std::size_t run = 0; run < requests.size(); ++run) {
    requests[run].key = key;
    requests[run].offset = offset + slab.runs[run];
    requests[run].destination = {memory.subspan(run * run_bytes, run_bytes)};
  }
  store_->read_all(requests);
  note_source(call.report, requests.front());
  if (!requests.front().found) return false;
  for (const ReadRequest& request : requests) {
    if (!request.found) throw_changed("it is gone");
    call.report.counted.stored_bytes_read += request.bytes_read;
    // In a shard, the index has told the size of the chunk already.
    if (layout_->shards.empty()) check_size(request.object_bytes);
    check_complete(request, slab.run_bytes);
  }
  return true;
}

void ArrayReader::read_shard_object(const Region& object,
                                    const std::string& key, Call& call) const {
  const ArenaScope scope(call.arena);
  const ShardLevel& level = layout_->shards[0];
  const std::span<std::byte> encoded = call.arena.take(level.index_bytes);
  ReadRequest request = index_request(level, key, encoded);
  store_->read_one(request);
  if (!call.count_object(request)) return skip(object, call);
  ShardIndex index = *checked_index(level, request);
  read_box({key, 0, object, 0, request.object_bytes, index}, call);
}

// A chunk with what it has beyond the array's end.
Region ArrayReader::whole_chunk(const Region& chunk) const {
  Region box = chunk;
  for (std::size_t axis = 0; axis < box.stop.size(); ++axis)
    // Chunks are stored whole, also at the array's edges.
    box.stop[axis] = box.start[axis] + layout_->chunk_shape[axis];
  return box;
}

// Throws: corrupt if an object of that size is no chunk.
void ArrayReader::check_size(std::int64_t object_bytes) const {
  const bool raw = layout_->codecs.empty();
  const std::int64_t most =
      raw ? layout_->chunk_bytes() : encoded_capacity(*layout_);
  if (object_bytes > most || (raw && object_bytes != most))
    throw Error(ErrorKind::kCorrupt,
                fmt::format("it holds {} bytes, a chunk of it has {} {}",
                            object_bytes, raw ? "exactly" : "at most", most));
}

// Visits the inner chunks, or the shards within, that the region touches.
void ArrayReader::read_box(const Box& box, Call& call) const {
  const ShardLevel& level = layout_->shards[box.level];
  const bool innermost = box.level + 1 == layout_->shards.size();
  if (innermost && window_ > 1) return read_box_in_window(box, call);
  const Region wanted = intersect(box.region, call.region);
  const Region boxes =
      boxes_touching(wanted, box.region.start, level.chunk_shape);
  for_each_point(boxes, [&](const Shape& coordinates) {
    const ArenaScope scope(call.arena);
    const Region part = clipped_box(
        element_at(box.region.start, coordinates, level.chunk_shape),
        level.chunk_shape, layout_->shape);
    const auto entry =
        box.index.entry(box.index.position(coordinates), box.bytes);
    if (!entry) {
      return skip(part, call);
    }
    // Offsets in an inner shard count from its own start.
    const ShardIndex::Entry place{box.offset + entry->offset, entry->bytes};
    if (innermost) return read_inner_chunk(part, box.key, place, call);
    const ShardLevel& inner = layout_->shards[box.level + 1];
    if (place.bytes < inner.index_bytes)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("an inner shard of {} bytes cannot hold its "
                              "index of {}",
                              place.bytes, inner.index_bytes));
    const std::span<std::byte> encoded = call.arena.take(inner.index_bytes);
    ReadRequest request{
        .key = box.key,
        .offset = inner.index_at_start
                      ? place.offset
                      : place.offset + place.bytes - inner.index_bytes,
        .destination = {encoded}};
    store_->read_one(request);
    call.report.counted.stored_bytes_read += request.bytes_read;
    check_complete(request, inner.index_bytes);
    ShardIndex index(inner, encoded);
    index.check();
    read_box({box.key, box.level + 1, part, place.offset, place.bytes, index},
             call);
  });
}

void ArrayReader::check_inner_size(ShardIndex::Entry entry) const {
  with_context(
      [&] { check_size(entry.bytes); },
      [&] { return fmt::format("inner chunk at byte {}", entry.offset); });
}

void ArrayReader::read_inner_chunk(const Region& chunk, const std::string& key,
                                   ShardIndex::Entry entry, Call& call) const {
  // The size comes from a file. It is checked before memory is taken.
  check_inner_size(entry);
  if (layout_->codecs.empty()) {
    if (!read_raw(chunk, key, entry.offset, call)) throw_changed("it is gone");
    return;
  }
  const std::span<std::byte> bytes = call.arena.take(entry.bytes);
  ReadRequest request{
      .key = key, .offset = entry.offset, .destination = {bytes}};
  store_->read_one(request);
  call.report.counted.stored_bytes_read += request.bytes_read;
  check_complete(request, entry.bytes);
  with_context(
      [&] { decode(chunk, bytes, call); },
      [&] { return fmt::format("inner chunk at byte {}", entry.offset); });
}

}  // namespace rechunk

// What one task holds at a time: the terms of the memory promise.
#include <algorithm>

#include "plan/coded_layout.h"
#include "plan/geometry.h"
#include "plan/staging.h"

namespace rechunk {
namespace {

std::int64_t bytes_of(const ArrayProblem& array, std::int64_t elements) {
  return checked_multiply(elements, array.item_bytes);
}

std::int64_t block_bytes(const ArrayProblem& array, const Shape& block) {
  return bytes_of(
      array, padded_elements(clip(block, array.shape), array.target.chunks));
}

// The largest ranges that a block reads at a time from objects of the stage
// before, one from each.
std::int64_t range_bytes(const ArrayProblem& array, const Shape& previous,
                         const Shape& block) {
  const std::int64_t bytes =
      bytes_of(array, element_count(clip(clip(previous, block), array.shape)));
  if (array.temp_window == 1) return bytes;
  return checked_multiply(bytes + kAlignmentBytes,
                          array.temp_window * (array.temp.copies ? 2 : 1));
}

// Buffers of the chunks in flight of a region: no more than it touches. Along
// an axis that is not cut where chunks are, it may touch one more.
std::int64_t window_bytes(const ArrayProblem& array, const ChunkTraits& side,
                          const Shape& region) {
  if (side.window == 1) return 0;
  std::int64_t chunks = 1;
  for (std::size_t axis = 0; axis < region.size(); ++axis) {
    const std::int64_t length = std::min(region[axis], array.shape[axis]);
    const std::int64_t chunk = side.chunks[axis];
    const bool aligned = length % chunk == 0 || length == array.shape[axis];
    chunks = std::min<std::int64_t>(
        side.window, chunks * (ceil_div(length, chunk) + (aligned ? 0 : 1)));
  }
  return checked_multiply(chunks, side.request_bytes);
}

std::int64_t source_scratch_bytes(const ArrayProblem& array,
                                  const Shape& region) {
  return array.source.unit_scratch_bytes +
         window_bytes(array, array.source, region);
}

std::int64_t target_scratch_bytes(const ArrayProblem& array,
                                  const Shape& region) {
  return array.target.unit_scratch_bytes +
         window_bytes(array, array.target, region);
}

// The largest piece that the light codec takes at a time.
std::int64_t piece_bytes(const ArrayProblem& array) {
  return bytes_of(array, element_count(clip(array.target.chunks, array.shape)));
}

std::int64_t encoding_bytes(const ArrayProblem& array,
                            std::int64_t region_bytes) {
  return CodedLayout::encoding_bytes(piece_bytes(array), region_bytes) +
         array.temp.writer_bytes;
}

std::int64_t decoding_bytes(const ArrayProblem& array) {
  return CodedLayout::decoding_bytes(piece_bytes(array));
}

}  // namespace

bool can_be_coded(const ArrayProblem& array) {
  return piece_bytes(array) <= CodedLayout::kLongestPieceBytes;
}

std::int64_t read_to_packed_bytes(const ArrayProblem& array, const Shape& task,
                                  bool coded) {
  const std::int64_t region =
      bytes_of(array, element_count(clip(task, array.shape)));
  const bool alone =
      clip(task, array.shape) == clip(array.source.objects, array.shape);
  // If a task reads one object, its encoded bytes use the memory of the region.
  const std::int64_t spare = alone ? array.source.spare_bytes : 0;
  return std::max(region, spare) +
         std::max(source_scratch_bytes(array, task) - spare +
                      array.source.object_scratch_bytes,
                  coded ? encoding_bytes(array, region) : 0) +
         kAlignmentBytes;
}

std::int64_t packed_to_packed_bytes(const ArrayProblem& array,
                                    const Shape& previous, const Shape& task,
                                    bool coded) {
  const std::int64_t region =
      bytes_of(array, element_count(clip(task, array.shape)));
  return region +
         std::max(range_bytes(array, previous, task),
                  coded ? encoding_bytes(array, region) : 0) +
         kAlignmentBytes;
}

std::int64_t packed_to_target_bytes(const ArrayProblem& array,
                                    const Shape& previous, const Shape& block,
                                    bool coded) {
  return block_bytes(array, block) +
         std::max({range_bytes(array, previous, block),
                   coded ? decoding_bytes(array) : 0,
                   target_scratch_bytes(array, block)}) +
         array.target.object_scratch_bytes + kAlignmentBytes;
}

// The terms are the `arena.take` calls of a task that copies directly. A read
// and a write of it never hold scratch at the same time, so the larger counts:
//
//   block_bytes                    ArrayCopy::target_block
//   source.request_bytes           ArrayReader::read_in_window: for each chunk
//                                  in flight
//   source.unit_scratch_bytes      ArrayReader: encoded_buffer, decode_buffer,
//                                  and the codecs' buffer in decode
//   source.object_scratch_bytes    ArrayReader: the index of a shard
//   target.unit_scratch_bytes      ArrayWriter::write_chunk and
//                                  ShardWriter::append: output and the codecs'
//                                  buffer
//   target.object_scratch_bytes    ShardWriter: the index of a shard, which is
//                                  open while its block is read
//
// Who adds a `take` adds it to one of these, or the memory limit breaks.
std::int64_t direct_bytes(const ArrayProblem& array, const Shape& block) {
  return block_bytes(array, block) +
         std::max(source_scratch_bytes(array, block) +
                      array.source.object_scratch_bytes,
                  target_scratch_bytes(array, block)) +
         array.target.object_scratch_bytes + kAlignmentBytes;
}

}  // namespace rechunk

#include "plan/coded_layout.h"

namespace rechunk {
CodedLayout::CodedLayout(const PackedLayout& layout, const Region& object)
    : units_(
          boxes_touching(object, Shape(layout.units.size(), 0), layout.units)),
      blocks_(boxes_touching(object, Shape(layout.blocks.size(), 0),
                             layout.blocks)),
      units_per_block_(layout.blocks) {
  for (std::size_t axis = 0; axis < units_per_block_.size(); ++axis)
    units_per_block_[axis] = ceil_div(layout.blocks[axis], layout.units[axis]);
}

std::int64_t CodedLayout::range_index(const Shape& block) const {
  std::int64_t index = 0;
  for (std::size_t axis = 0; axis < block.size(); ++axis)
    index = index * (blocks_.stop[axis] - blocks_.start[axis]) + block[axis] -
            blocks_.start[axis];
  return index;
}

std::int64_t CodedLayout::first_piece(const Shape& block) const {
  return elements_before(units_, units_per_block_, block);
}

std::int64_t CodedLayout::encoding_bytes(std::int64_t piece_bytes,
                                         std::int64_t object_bytes) {
  // Objects with more pieces have shorter ones and are written raw.
  const std::int64_t header_bytes =
      (object_bytes / kShortestPieceBytes + 1) * (kOffsetBytes + kSizeBytes);
  return checked_add(kBatchBytes + kHeapBytes + kAlignmentBytes + header_bytes,
                     encoded_capacity(piece_bytes));
}

std::int64_t CodedLayout::decoding_bytes(std::int64_t piece_bytes) {
  // The encoded pieces, and a decoded one that has no place in the block.
  return checked_add(
      kBatchBytes + kHeapBytes + kAlignmentBytes + kBatchPieces * kSizeBytes,
      checked_multiply(2, encoded_capacity(piece_bytes)));
}

}  // namespace rechunk

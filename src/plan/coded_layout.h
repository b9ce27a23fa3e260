// Where the pieces of a coded packed object lie, and what coding takes. Pure.
//
// A packed object (packed_layout.h) may hold its pieces encoded one by one with
// a light codec. It then begins with a header: 8 bytes for each range, the
// offset of its first piece, and 4 bytes for each piece, its encoded size;
// little-endian. Ranges and pieces follow in the order of a raw object. A coded
// object is always smaller than a raw one: its size tells which it is.
#pragma once

#include "plan/packed_layout.h"
#include "rechunk/shape.h"

namespace rechunk {

class CodedLayout {
 public:
  CodedLayout(const PackedLayout& layout, const Region& object);

  std::int64_t ranges() const { return element_count(blocks_); }
  std::int64_t pieces() const { return element_count(units_); }
  std::int64_t header_bytes() const {
    return kOffsetBytes * ranges() + kSizeBytes * pieces();
  }

  /// Number of the range of a block, and of its first piece in the object.
  std::int64_t range_index(const Shape& block) const;
  std::int64_t first_piece(const Shape& block) const;

  /// First byte of what the header says of a range or a piece.
  std::int64_t offset_at(std::int64_t range) const {
    return kOffsetBytes * range;
  }
  std::int64_t size_at(std::int64_t piece) const {
    return kOffsetBytes * ranges() + kSizeBytes * piece;
  }

  static constexpr std::int64_t kOffsetBytes = 8, kSizeBytes = 4;
  /// Objects of shorter pieces, on average, are written raw.
  static constexpr std::int64_t kShortestPieceBytes = 4096;
  /// Longer pieces than the light codec takes are not coded.
  static constexpr std::int64_t kLongestPieceBytes = std::int64_t{1} << 30;
  /// What is read or written at a time.
  static constexpr std::int64_t kBatchBytes = 256 << 10;
  /// Pieces whose sizes are read at a time.
  static constexpr std::int64_t kBatchPieces = 256;
  /// Heap of the codec.
  static constexpr std::int64_t kHeapBytes = 4 << 20;

  /// Upper bound of an encoded piece.
  static std::int64_t encoded_capacity(std::int64_t piece_bytes) {
    return checked_add(piece_bytes, 64);
  }
  /// Payload bytes beside the block while an object of `object_bytes` with
  /// pieces of at most `piece_bytes` is written, or a range of it read.
  static std::int64_t encoding_bytes(std::int64_t piece_bytes,
                                     std::int64_t object_bytes);
  static std::int64_t decoding_bytes(std::int64_t piece_bytes);

 private:
  Region units_, blocks_;  ///< That the object touches.
  Shape units_per_block_;
};

}  // namespace rechunk

// Coded objects of a packed intermediate: written piece by piece, read range by
// range. The bytes are those of plan/coded_layout.h.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/memory_budget.h"
#include "codec/codec.h"
#include "plan/coded_layout.h"
#include "rechunk/observer.h"
#include "rechunk/store.h"

namespace rechunk {

/// Quick rather than small. Throws: as make_codec.
CodecChain make_light_codec(std::int64_t item_bytes);

/// Writes one object. Used by one thread; pieces come in their order.
class CodedObjectWriter {
 public:
  /// `layout` must outlive it. Takes CodedLayout::encoding_bytes from the
  /// arena, which the caller gives back.
  CodedObjectWriter(const CodecChain& codec, const CodedLayout& layout,
                    std::int64_t largest_piece_bytes,
                    std::unique_ptr<ObjectWriter> object, Arena& arena);

  void begin_range();
  /// Throws: io.
  void append(std::span<const std::byte> piece);

  /// If the object is smaller than `raw_bytes`, makes it visible and returns
  /// its size. Else does not write it and returns 0.
  std::int64_t finish(std::int64_t raw_bytes);

 private:
  void flush();

  const CodecChain& codec_;
  const CodedLayout& layout_;
  std::unique_ptr<ObjectWriter> object_;
  std::span<std::byte> header_, buffer_;
  std::size_t filled_ = 0;
  std::int64_t written_ = 0, ranges_ = 0, pieces_ = 0;
};

/// Reads the pieces of one range, one after the other. Used by one thread.
class CodedRangeReader {
 public:
  /// Reads the header's entries for the range of `block`.
  CodedRangeReader(const Store& store, const std::string& key,
                   const CodedLayout& layout, const Shape& block,
                   std::int64_t pieces, Arena& arena);

  bool found() const { return found_; }
  std::int64_t object_bytes() const { return object_bytes_; }
  std::int64_t bytes_read() const { return bytes_read_; }

  /// The next encoded piece; valid until the next call. Requires: found(), and
  /// an object that is coded. `most_bytes`: what no piece exceeds.
  /// Throws: io (retryable: the object was replaced), corrupt.
  std::span<const std::byte> next(std::int64_t most_bytes);

 private:
  void read_sizes();
  void read_pieces(std::int64_t most_bytes);
  void read(std::span<ReadRequest> requests);
  std::int64_t size_of(std::int64_t piece) const;

  const Store& store_;
  const std::string& key_;
  const CodedLayout& layout_;
  Arena& arena_;
  std::span<std::byte> sizes_, buffer_;
  std::int64_t piece_, stop_;  // Pieces of the range not given out yet.
  std::int64_t sizes_first_ = 0, sizes_stop_ = 0;  // Whose sizes are known.
  std::int64_t offset_ = 0;       // Of what follows the buffer.
  std::size_t at_ = 0, end_ = 0;  // Pieces in the buffer.
  bool found_ = false;
  std::int64_t object_bytes_ = 0, bytes_read_ = 0;
};

}  // namespace rechunk

// Sums of hashed words: the inner loops of the digest (digest.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/digest.h"

namespace rechunk {

/// How a word lies in memory: 1 to 8 bytes, the lowest first or last.
struct WordKind {
  std::int64_t bytes = 0;
  bool reversed = false;
  friend bool operator==(const WordKind&, const WordKind&) = default;
};

/// Words that are equally spaced in memory and in number.
struct WordAxis {
  std::int64_t extent;
  std::int64_t stride_bytes;
  std::uint64_t number_step;
};

/// Digest of all words of one kind of a box, the first of which has `number`
/// (plus one). `axes`: as they lie in memory, outermost first.
///
/// What is mixed into the words of a tile, some hundreds that follow each other
/// in these axes, is a table, so that the loop over them is one however short
/// the rows are. Tiles without gaps are summed where they lie.
Digest sum_words(WordKind kind, const std::vector<WordAxis>& axes,
                 const std::byte* data, std::uint64_t number);

}  // namespace rechunk

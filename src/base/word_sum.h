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

/// Digest of all words of one kind of a box. The first word has `number` (plus
/// one). `axes`: in their order in memory, outermost first.
///
/// A tile is some hundreds of words that follow each other in these axes. The
/// numbers that are mixed into its words are a table, so that there is one loop
/// over a tile even if rows are short. Tiles without gaps are summed in place.
Digest sum_words(WordKind kind, const std::vector<WordAxis>& axes,
                 const std::byte* data, std::uint64_t number);

}  // namespace rechunk

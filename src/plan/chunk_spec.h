// Chunk shapes as people write them, and what they mean for an array.
//
//   2000,10,10        a length per dimension; "all" or -1: the whole axis
//   time=all,lat=10   by dimension name, or number (0=all); others are kept.
//                     In a name, \, is a comma and \\ is a backslash.
//   auto, auto:100MB  chunks of about this size (64 MiB, or less if memory is
//                     short) that cut the axes nearly equally; also for one
//                     dimension: time=auto
//   all               every axis whole
//
// A list may be in () or [], as Python prints it. Pure: no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rechunk/shape.h"

namespace rechunk {

inline constexpr std::int64_t kAutoBytes = 64 << 20;

/// One axis of a chunk spec.
struct ChunkLength {
  enum class Kind { kLength, kAll, kAuto } kind = Kind::kLength;
  std::int64_t length = 0;  ///< For kLength: at least 1.
};

/// A parsed chunk spec; exactly one of `by_position`, `by_name` is not empty,
/// or `everywhere` is set.
struct ChunkSpec {
  std::vector<ChunkLength> by_position;
  std::vector<std::pair<std::string, ChunkLength>> by_name;
  std::optional<ChunkLength> everywhere;  ///< "all", "auto".
  std::int64_t auto_bytes = kAutoBytes;   ///< From "auto:SIZE".
};

/// `auto_bytes`: the size for "auto" without a size.
/// Throws: invalid_argument (names the part that is wrong; the hint shows the
/// forms).
ChunkSpec parse_chunk_spec(std::string_view text,
                           std::int64_t auto_bytes = kAutoBytes);

/// What a spec is resolved against.
struct ChunkContext {
  Shape shape;
  Shape current_chunks;                      ///< Kept if the spec says nothing.
  std::vector<std::string> dimension_names;  ///< Empty if unnamed.
  std::int64_t item_bytes = 1;
};

/// True if the spec says something about this array: a list of its rank, a name
/// that it has, or `everywhere`.
bool applies_to(const ChunkSpec& spec, const ChunkContext& context);

/// The length that the spec gives this dimension by name. 0: none.
std::int64_t length_of(const ChunkSpec& spec, const std::string& dimension);

/// The lengths that the spec gives in numbers, by axis. 0: none.
Shape explicit_lengths(const ChunkSpec& spec, const ChunkContext& context);

/// The spec without the names that this array does not have. For a group: not
/// every array has every dimension.
ChunkSpec restricted_to(const ChunkSpec& spec, const ChunkContext& context);

/// The chunk shape. Given lengths and kept lengths may be longer than the axis,
/// because the axis may grow; "all" is its length today. "auto" gives the
/// largest chunk of at most `auto_bytes` that cuts its axes into equal numbers
/// of nearly equal parts, if the axes allow it. Throws: invalid_argument (wrong
/// number of dimensions; unknown name: the message lists the names that exist).
Shape resolve_chunks(const ChunkSpec& spec, const ChunkContext& context);

}  // namespace rechunk

// What the Zstandard format (RFC 8878) asks of a frame and Debian's library
// does not look at, though later releases of it do: they refuse such data.
#pragma once

#include <cstddef>
#include <span>

namespace rechunk {

/// Requires: frames that the library decodes, one after the other.
/// Throws: corrupt (a reserved bit is set, or a frame whose content size is
/// not told needs a window of more than 128 MiB).
void check_zstd_frames(std::span<const std::byte> encoded);

}  // namespace rechunk

// The bytes of an object that wait until they fill a request.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace rechunk {

/// Moves bytes from the front of `bytes` into the buffer until it has `room`.
inline void fill_part(std::vector<std::byte>& buffer, std::size_t room,
                      std::span<const std::byte>& bytes) {
  const std::size_t count = std::min(room - buffer.size(), bytes.size());
  if (count == 0) return;
  buffer.reserve(room);  // Memory that is not used costs nothing.
  buffer.insert(buffer.end(), bytes.begin(),
                bytes.begin() + static_cast<std::ptrdiff_t>(count));
  bytes = bytes.subspan(count);
}

}  // namespace rechunk

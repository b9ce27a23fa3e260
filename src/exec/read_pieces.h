// Reads objects through a small buffer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "rechunk/store.h"

namespace rechunk {

/// Bytes of an object.
struct ByteRange {
  std::int64_t offset = 0;
  std::optional<std::int64_t> bytes;  ///< Nothing: up to the object's end.
};

/// Gives the range to `visit` in pieces of at most the buffer's size, in order.
/// For an empty range there is one piece without bytes. `total`: bytes of the
/// whole range. `opened` gets the first request, whether the object exists or
/// not. Returns `total`, or nothing if the object does not exist.
/// Throws: io (with the object's place) if the object is shorter or changes
/// meanwhile, and what `visit` throws.
std::optional<std::int64_t> read_pieces(
    const Store& store, const std::string& key, const ByteRange& range,
    std::span<std::byte> buffer,
    const std::function<void(std::span<const std::byte> piece,
                             std::int64_t total)>& visit,
    const std::function<void(const ReadRequest&)>& opened = {});

}  // namespace rechunk

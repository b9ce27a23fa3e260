#include "exec/read_pieces.h"

#include <algorithm>

#include "rechunk/error.h"

namespace rechunk {

std::optional<std::int64_t> read_pieces(
    const Store& store, const std::string& key, const ByteRange& range,
    std::span<std::byte> buffer,
    const std::function<void(std::span<const std::byte> piece,
                             std::int64_t total)>& visit,
    const std::function<void(const ReadRequest&)>& opened) {
  const auto place = [&] { return "reading " + store.describe(key); };
  std::optional<std::int64_t> total = range.bytes;
  std::int64_t done = 0, object_bytes = 0, version = 0;
  do {
    const auto room = static_cast<std::int64_t>(buffer.size());
    const std::int64_t wanted = total ? std::min(room, *total - done) : room;
    ReadRequest request{
        .key = key,
        .offset = range.offset + done,
        .destination = {buffer.first(static_cast<std::size_t>(wanted))}};
    with_context([&] { store.read_one(request); }, place);
    if (done == 0 && opened) opened(request);
    if (done == 0 && !request.found) return std::nullopt;
    if (done == 0) {
      object_bytes = request.object_bytes;
      version = request.version;
    }
    if (!total)
      total = std::max<std::int64_t>(0, request.object_bytes - range.offset);
    if (!request.found || request.object_bytes != object_bytes ||
        request.version != version ||
        request.bytes_read != std::min(wanted, *total - done))
      throw Error(ErrorKind::kIo, place() + ": it changed while it was read")
          .set_retryable(true);
    visit(buffer.first(static_cast<std::size_t>(request.bytes_read)), *total);
    done += request.bytes_read;
  } while (done < *total);
  return total;
}

}  // namespace rechunk

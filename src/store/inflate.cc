#include "store/inflate.h"

#include <algorithm>

#include "rechunk/error.h"

namespace rechunk {

Inflater::Inflater(Next next) : next_(std::move(next)) {
  constexpr int kRaw = -15;  // No header; the largest window.
  if (inflateInit2(&stream_, kRaw) != Z_OK)
    throw Error(ErrorKind::kIo, "deflate: no memory to decode");
}

Inflater::~Inflater() { inflateEnd(&stream_); }

void Inflater::read(std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    if (ended_)
      throw Error(ErrorKind::kCorrupt, "deflate: it has too few bytes");
    buffer = buffer.subspan(step(buffer));
  }
}

bool Inflater::at_end() {
  std::byte more;
  while (!ended_)
    if (step({&more, 1}) > 0) return false;
  return true;
}

// How many bytes came; there may be none.
std::size_t Inflater::step(std::span<std::byte> buffer) {
  if (stream_.avail_in == 0) {
    const std::span<const std::byte> piece = next_();
    stream_.next_in =
        reinterpret_cast<Bytef*>(const_cast<std::byte*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
  }
  constexpr std::size_t kMost = 1 << 30;
  const std::size_t room = std::min(buffer.size(), kMost);
  stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
  stream_.avail_out = static_cast<uInt>(room);
  const int result = inflate(&stream_, Z_NO_FLUSH);
  ended_ = result == Z_STREAM_END;
  if (result == Z_BUF_ERROR)
    throw Error(ErrorKind::kCorrupt, "deflate: it is cut off");
  if (result != Z_OK && result != Z_STREAM_END)
    throw Error(ErrorKind::kCorrupt, "deflate: corrupted data");
  return room - stream_.avail_out;
}

}  // namespace rechunk

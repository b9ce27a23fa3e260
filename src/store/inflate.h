// Decodes raw DEFLATE piece by piece, as entries of zip archives have it.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <functional>
#include <span>

namespace rechunk {

/// One thread at a time. Takes 64 KiB beside what it is given.
class Inflater {
 public:
  /// Gives the next encoded bytes; none at their end. They stay until it is
  /// called again.
  using Next = std::function<std::span<const std::byte>()>;

  explicit Inflater(Next next);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills the buffer with the next decoded bytes.
  /// Throws: corrupt if they end before; what `next` throws.
  void read(std::span<std::byte> buffer);
  /// True if nothing follows. Throws: corrupt.
  bool at_end();

 private:
  std::size_t step(std::span<std::byte> buffer);

  const Next next_;
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace rechunk

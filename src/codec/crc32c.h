// CRC-32C (Castagnoli) and the codec that appends it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/codec.h"

namespace rechunk {

/// The checksum of `bytes`, in hardware where the processor can.
std::uint32_t crc32c(std::span<const std::byte> bytes);

/// The same by tables: for other processors, and to test against.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes);

/// Keeps the bytes and adds 4 bytes after them. So a chain needs no copy:
/// `seal` works in place and `payload` returns a view.
class Crc32c final : public Codec {
 public:
  static constexpr std::int64_t kTrailerBytes = 4;

  /// Writes the checksum of the first `payload_bytes` of `buffer` behind them;
  /// returns the size of both. Requires: room for the trailer.
  std::int64_t seal(std::span<std::byte> buffer,
                    std::int64_t payload_bytes) const;

  /// The bytes before the trailer. Throws: corrupt (mismatch).
  std::span<const std::byte> payload(std::span<const std::byte> encoded) const;

  std::string_view name() const override { return "crc32c"; }
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override;
  std::int64_t scratch_bytes(std::int64_t decoded_bytes) const override;
  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override;
  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override;
};

}  // namespace rechunk

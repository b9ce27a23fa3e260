// Writes a zip archive in one pass: entries are stored, not compressed, because
// chunks are compressed already and are then read by ranges.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "rechunk/store.h"

namespace rechunk {

/// One thread at a time. The archive is visible after `commit`. Its directory
/// stays in memory until then.
class ZipWriter {
 public:
  explicit ZipWriter(std::unique_ptr<ObjectWriter> writer)
      : writer_(std::move(writer)) {}

  /// Begins an entry whose size and CRC-32 are known. Exactly that many bytes
  /// must be appended. Throws: io; invalid_argument if the name is too long.
  void begin(std::string_view name, std::int64_t bytes, std::uint32_t crc32);
  void append(std::span<const std::byte> bytes);
  /// Writes the directory; with zip64 where numbers are too large without.
  void commit();

 private:
  void write(const std::string& bytes);

  const std::unique_ptr<ObjectWriter> writer_;
  std::string directory_;
  std::int64_t at_ = 0, entries_ = 0;
};

/// Puts all objects of a store into an archive under a key of another, the
/// metadata of the root last. As many objects at a time are asked for as the
/// buffer can hold; those that are larger are read twice, first for their
/// checksum. Throws: io (also if an object changes meanwhile).
void pack_zip(const Store& from, Store& to, const std::string& key,
              std::span<std::byte> buffer);

/// Reads a packed archive again. Objects that the buffer holds are compared
/// with their checksums, larger ones with those that were packed. Throws: io,
/// corrupt.
void verify_zip(const Store& from, const Store& archive,
                std::span<std::byte> buffer);

}  // namespace rechunk

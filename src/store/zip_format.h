// The records of zip archives, as PKWARE's APPNOTE defines them: bytes in,
// values out. No I/O. Archives are not trusted: every number is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rechunk {

/// The last bytes of an archive, in which its end record must lie: it, its
/// comment, and the records of zip64. Small directories lie there, too.
constexpr std::int64_t kZipTailBytes = 128 << 10;

/// A local header without its name and its extra fields.
constexpr std::int64_t kZipHeaderBytes = 30;

/// An entry of the directory without its name, extra fields and comment.
constexpr std::int64_t kZipRecordBytes = 46;

/// What the end of an archive says about its directory.
struct ZipEnd {
  std::int64_t entries = 0;
  std::int64_t directory_begin = 0;  ///< In the object.
  std::int64_t directory_bytes = 0;
  /// Bytes before the archive, such as a program that unpacks it. Offsets in
  /// the directory do not count them.
  std::int64_t shift = 0;
};

/// An entry of the directory.
struct ZipRecord {
  std::string_view name;    ///< Points into the bytes that were given.
  std::int64_t offset = 0;  ///< Of its local header; without the shift.
  std::int64_t encoded_bytes = 0;
  std::int64_t bytes = 0;
  std::uint32_t crc32 = 0;
  std::uint16_t method = 0;
  std::uint16_t flags = 0;
  std::int64_t record_bytes = 0;  ///< In the directory.

  bool is_folder() const { return name.ends_with('/'); }
  bool is_encrypted() const { return (flags & 0x2041) != 0; }
  /// True if its local header need not know sizes and checksum.
  bool has_descriptor() const { return (flags & 0x8) != 0; }
};

/// Finds the directory. `tail` has the last bytes of the object,
/// `kZipTailBytes` or all. Throws: corrupt, unsupported (several disks).
ZipEnd find_zip_end(std::span<const std::byte> tail, std::int64_t object_bytes);

/// The record at the start of `bytes`, or nothing if it is not there as a
/// whole. Throws: corrupt.
std::optional<ZipRecord> read_zip_record(std::span<const std::byte> bytes);

/// How long the local header is whose start is in `header`: at least
/// `kZipHeaderBytes` and the name. Throws: corrupt if it contradicts the record
/// (of which all but the offset counts).
std::int64_t check_zip_header(std::span<const std::byte> header,
                              const ZipRecord& record);

}  // namespace rechunk

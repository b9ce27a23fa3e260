// The directory of a zip archive in memory: names and places of its entries,
// about 44 bytes each beside the name.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rechunk/store.h"
#include "store/zip_format.h"

namespace rechunk {

/// Does not change after it was read, but for `set_header_bytes`. Any thread
/// may use it.
class ZipDirectory {
 public:
  struct Entry {
    std::int64_t offset = 0;  ///< Of its local header, in the object.
    std::int64_t encoded_bytes = 0;
    std::int64_t bytes = 0;
    std::uint32_t crc32 = 0;
    /// Bytes between the start of its local header and the next one that do not
    /// hold its data. Its local header is not longer.
    std::uint32_t spare_bytes = 0;
    std::uint32_t name_begin = 0;
    std::uint16_t name_bytes = 0;
    std::uint8_t method = 0;  ///< 0: stored, 8: deflated; or `kOther`.
    bool has_descriptor = false;
    bool is_encrypted = false;
  };
  static constexpr std::uint8_t kOther = 255;

  /// Reads the directory of the archive under a key, in pieces. Of several
  /// entries with one name it keeps the last, as zipfile does; folders are left
  /// out. Throws: not_found, io; corrupt if entries overlap, lead out of the
  /// object or have names that are no keys; unsupported if the archive is
  /// split.
  ZipDirectory(const Store& store, const std::string& key);

  std::size_t size() const { return entries_.size(); }
  const Entry& operator[](std::size_t index) const { return entries_[index]; }
  /// Keys are sorted by their bytes.
  std::string_view key(std::size_t index) const {
    return name(entries_[index]);
  }

  /// How long the local header of an entry is; 0: nobody has looked yet.
  std::int64_t header_bytes(std::size_t index) const {
    return header_bytes_[index].load(std::memory_order_relaxed);
  }
  /// How long it is if nothing lies between the entries.
  std::int64_t likely_header_bytes(std::size_t index) const;
  /// Checks what was read of a local header, from its start. Returns how long
  /// it is, and remembers that. Throws: corrupt.
  std::int64_t check_header(std::size_t index,
                            std::span<const std::byte> header) const;

  /// Version of the archive when its directory was read; 0: not known.
  std::int64_t version() const { return version_; }

 private:
  class Reading;
  std::string_view name(const Entry& entry) const {
    return std::string_view(names_).substr(entry.name_begin, entry.name_bytes);
  }
  void add(const ZipRecord& record, std::int64_t shift);
  void measure_gaps(std::int64_t directory_begin);
  std::vector<Entry> sort_names();
  void check_replaced(const Store& store, const std::string& key,
                      const std::vector<Entry>& replaced) const;
  ZipRecord record_of(const Entry& entry) const;

  std::string names_;
  std::vector<Entry> entries_;
  std::unique_ptr<std::atomic<std::uint32_t>[]> header_bytes_;
  std::int64_t version_ = 0;
};

}  // namespace rechunk

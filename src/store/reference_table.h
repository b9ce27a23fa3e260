// A file of kerchunk's references in memory: which bytes of which file an
// object is. It takes 32 bytes for each reference, its key, its inline bytes,
// and each URL once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rechunk/store.h"

namespace rechunk {

/// Does not change after it was read. Any thread may use it.
class ReferenceTable {
 public:
  static constexpr std::uint32_t kInline = 0xFFFFFFFF;
  static constexpr std::int64_t kWhole = -1;

  struct Entry {
    std::uint64_t key_begin = 0;
    std::uint32_t key_bytes = 0;
    std::uint32_t url = kInline;  ///< Number of its URL.
    std::int64_t offset = 0;
    std::int64_t bytes = 0;  ///< `kWhole`: all that the URL names.
  };

  /// Reads the references under a key: version 1 with `refs` and `templates`,
  /// or a flat object, which is version 0. Throws: not_found, io; corrupt;
  /// unsupported (`gen`).
  ReferenceTable(const Store& store, const std::string& key);

  std::size_t size() const { return entries_.size(); }
  const Entry& operator[](std::size_t index) const { return entries_[index]; }
  /// Keys are sorted by their bytes.
  std::string_view key(std::size_t index) const { return key(entries_[index]); }
  /// The bytes of an inline entry.
  std::string_view inline_bytes(const Entry& entry) const {
    return std::string_view(text_).substr(
        static_cast<std::size_t>(entry.offset),
        static_cast<std::size_t>(entry.bytes));
  }
  /// All that entries name, with templates filled in.
  const std::vector<std::string>& urls() const { return urls_; }
  /// Version of the file; 0: not known.
  std::int64_t version() const { return version_; }

 private:
  friend class ReferenceParser;
  std::string_view key(const Entry& entry) const {
    return std::string_view(text_).substr(
        static_cast<std::size_t>(entry.key_begin), entry.key_bytes);
  }
  void sort_keys();

  std::string text_;  ///< Keys and inline bytes.
  std::vector<Entry> entries_;
  std::vector<std::string> urls_;
  std::int64_t version_ = 0;
};

// Texts in references (reference_text.cc).

/// "{{u}}/a.nc", or "{{f(c='x')}}" with "s3://b/{{c}}" as f, with the templates
/// put in. Throws: corrupt (no such template), unsupported (more than that).
std::string fill_templates(
    std::string_view text,
    const std::vector<std::pair<std::string, std::string>>& templates);

/// The bytes of base64. Throws: corrupt.
std::string decode_base64(std::string_view text);

}  // namespace rechunk

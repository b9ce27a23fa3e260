#include "store/zip_directory.h"

#include <algorithm>
#include <numeric>

#include "rechunk/error.h"
#include "store/key.h"

namespace rechunk {
namespace {

constexpr std::int64_t kPieceBytes = 4 << 20;
constexpr std::int64_t kMaxDirectoryBytes = 1 << 30;
constexpr std::int64_t kMaxEntries = 1 << 24;

[[noreturn]] void damaged_directory(const std::string& cause) {
  throw Error(ErrorKind::kCorrupt, "the zip archive is damaged: " + cause);
}

// Names may have 64 KiB.
std::string quoted(std::string_view name) {
  return "\"" + std::string(name.substr(0, 80)) + "\"";
}

/// The last bytes of the archive, and what its directory is read with.
struct ZipTail {
  std::vector<std::byte> bytes;
  std::int64_t object_bytes = 0;
  std::int64_t version = 0;

  std::int64_t begin() const {
    return object_bytes - static_cast<std::int64_t>(bytes.size());
  }
};

ZipTail read_tail(const Store& store, const std::string& key) {
  ZipTail tail;
  tail.bytes.resize(kZipTailBytes);
  ReadRequest request{
      .key = key, .offset = -kZipTailBytes, .destination = {tail.bytes}};
  store.read_one(request);
  if (!request.found)
    throw Error(ErrorKind::kNotFound, "there is no zip archive");
  tail.bytes.resize(static_cast<std::size_t>(request.bytes_read));
  tail.object_bytes = request.object_bytes;
  tail.version = request.version;
  return tail;
}

}  // namespace

// Gives the directory out piece by piece; what is in the tail is not read
// again.
class ZipDirectory::Reading {
 public:
  Reading(const Store& store, const std::string& key, const ZipTail& tail,
          const ZipEnd& end)
      : store_(store),
        key_(key),
        tail_(tail),
        at_(end.directory_begin),
        end_(end.directory_begin + end.directory_bytes) {}

  bool at_end() const { return given_ == buffer_.size() && at_ == end_; }

  ZipRecord next() {
    for (;;) {
      const auto unread = std::span(buffer_).subspan(given_);
      if (const auto record = read_zip_record(unread)) {
        given_ += static_cast<std::size_t>(record->record_bytes);
        return *record;
      }
      if (at_ == end_) damaged_directory("its directory is cut off");
      fill();
    }
  }

 private:
  void fill() {
    buffer_.erase(buffer_.begin(),
                  buffer_.begin() + static_cast<std::ptrdiff_t>(given_));
    given_ = 0;
    const std::size_t kept = buffer_.size();
    if (at_ >= tail_.begin()) {
      const auto rest =
          std::span(tail_.bytes)
              .subspan(static_cast<std::size_t>(at_ - tail_.begin()))
              .first(static_cast<std::size_t>(end_ - at_));
      buffer_.insert(buffer_.end(), rest.begin(), rest.end());
      at_ = end_;
      return;
    }
    const std::int64_t wanted =
        std::min(kPieceBytes, std::min(end_, tail_.begin()) - at_);
    buffer_.resize(kept + static_cast<std::size_t>(wanted));
    ReadRequest request{.key = key_,
                        .offset = at_,
                        .destination = {std::span(buffer_).subspan(kept)}};
    store_.read_one(request);
    if (request.bytes_read != wanted || request.version != tail_.version)
      throw Error(ErrorKind::kIo, "the zip archive changes while it is read");
    at_ += wanted;
  }

  const Store& store_;
  const std::string& key_;
  const ZipTail& tail_;
  std::int64_t at_;
  const std::int64_t end_;
  std::vector<std::byte> buffer_;
  std::size_t given_ = 0;  ///< Of the buffer.
};

ZipDirectory::ZipDirectory(const Store& store, const std::string& key) {
  const ZipTail tail = read_tail(store, key);
  version_ = tail.version;
  const ZipEnd end = find_zip_end(tail.bytes, tail.object_bytes);
  if (end.directory_bytes > kMaxDirectoryBytes || end.entries > kMaxEntries)
    throw Error(ErrorKind::kUnsupported,
                "the directory of the zip archive is too large: " +
                    std::to_string(end.entries) + " entries");
  entries_.reserve(static_cast<std::size_t>(end.entries));
  names_.reserve(static_cast<std::size_t>(end.directory_bytes -
                                          end.entries * kZipRecordBytes));
  Reading reading(store, key, tail, end);
  for (std::int64_t entry = 0; entry < end.entries; ++entry)
    add(reading.next(), end.shift);
  if (!reading.at_end())
    damaged_directory("its directory has more entries than its end says");
  measure_gaps(end.directory_begin);
  check_replaced(store, key, sort_names());
  header_bytes_ =
      std::make_unique<std::atomic<std::uint32_t>[]>(entries_.size());
}

void ZipDirectory::add(const ZipRecord& record, std::int64_t shift) {
  const std::string_view key =
      record.is_folder() ? record.name.substr(0, record.name.size() - 1)
                         : record.name;
  if (!is_key(key))
    damaged_directory("the name " + quoted(record.name) +
                      " leads out of it, or is none");
  if (record.is_folder() && record.bytes != 0)
    damaged_directory(quoted(record.name) + " is a folder, but has bytes");
  const bool is_known = record.method == 0 || record.method == 8;
  if (record.method == 0 && !record.is_encrypted() &&
      record.encoded_bytes != record.bytes)
    damaged_directory(quoted(record.name) + " has two sizes");
  Entry& entry = entries_.emplace_back();
  entry.offset = shift + record.offset;
  entry.encoded_bytes = record.encoded_bytes;
  entry.bytes = record.bytes;
  entry.crc32 = record.crc32;
  entry.name_begin = static_cast<std::uint32_t>(names_.size());
  entry.name_bytes = static_cast<std::uint16_t>(record.name.size());
  entry.method = is_known ? static_cast<std::uint8_t>(record.method) : kOther;
  entry.has_descriptor = record.has_descriptor();
  entry.is_encrypted = record.is_encrypted();
  names_ += record.name;
}

// Entries do not share bytes: else a small archive could hold endless data, and
// readers would not agree on what it holds.
void ZipDirectory::measure_gaps(std::int64_t directory_begin) {
  std::vector<std::uint32_t> order(entries_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) {
    return entries_[a].offset < entries_[b].offset;
  });
  std::int64_t next = directory_begin;
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    Entry& entry = entries_[*at];
    const std::int64_t spare = next - entry.offset - entry.encoded_bytes;
    if (spare < kZipHeaderBytes + entry.name_bytes)
      damaged_directory(quoted(name(entry)) +
                        " overlaps another entry or leads out of the archive");
    constexpr std::int64_t kMost = kZipHeaderBytes + 2 * 0xFFFF;
    entry.spare_bytes =
        static_cast<std::uint32_t>(std::min<std::int64_t>(spare, kMost));
    next = entry.offset;
  }
}

// Returns those that later entries of the same name replace.
std::vector<ZipDirectory::Entry> ZipDirectory::sort_names() {
  std::erase_if(entries_,
                [&](const Entry& entry) { return name(entry).ends_with('/'); });
  std::sort(entries_.begin(), entries_.end(),
            [&](const Entry& a, const Entry& b) {
              const int order = name(a).compare(name(b));
              return order != 0 ? order < 0 : a.name_begin < b.name_begin;
            });
  std::vector<Entry> replaced;
  std::size_t kept = 0;
  for (std::size_t at = 0; at < entries_.size(); ++at)
    if (at + 1 == entries_.size() || key(at) != key(at + 1))
      entries_[kept++] = entries_[at];
    else
      replaced.push_back(entries_[at]);
  entries_.resize(kept);
  return replaced;
}

// Nobody reads these. If one had another name before the directory was damaged,
// an object would be missing, and nobody would see that.
void ZipDirectory::check_replaced(const Store& store, const std::string& key,
                                  const std::vector<Entry>& replaced) const {
  constexpr std::size_t kBatch = 256;
  for (std::size_t first = 0; first < replaced.size(); first += kBatch) {
    const auto batch = std::span(replaced).subspan(first).first(
        std::min(kBatch, replaced.size() - first));
    std::vector<std::vector<std::byte>> headers(batch.size());
    std::vector<ReadRequest> requests(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      headers[i].resize(kZipHeaderBytes + batch[i].name_bytes);
      requests[i] = {
          .key = key, .offset = batch[i].offset, .destination = {headers[i]}};
    }
    store.read_all(requests);
    for (std::size_t i = 0; i < batch.size(); ++i)
      check_zip_header(headers[i], record_of(batch[i]));
  }
}

std::int64_t ZipDirectory::likely_header_bytes(std::size_t index) const {
  const Entry& entry = entries_[index];
  const std::int64_t least = kZipHeaderBytes + entry.name_bytes;
  const bool is_tight =
      !entry.has_descriptor && entry.spare_bytes <= least + 0xFFFF;
  return is_tight ? entry.spare_bytes : least;
}

ZipRecord ZipDirectory::record_of(const Entry& entry) const {
  ZipRecord record;
  record.name = name(entry);
  record.encoded_bytes = entry.encoded_bytes;
  record.bytes = entry.bytes;
  record.crc32 = entry.crc32;
  record.method = entry.method;
  record.flags = entry.has_descriptor ? 0x8 : 0;
  return record;
}

std::int64_t ZipDirectory::check_header(
    std::size_t index, std::span<const std::byte> header) const {
  const Entry& entry = entries_[index];
  const ZipRecord record = record_of(entry);
  const std::int64_t bytes = check_zip_header(header, record);
  if (bytes > entry.spare_bytes)
    damaged_directory(quoted(record.name) + " overlaps another entry");
  header_bytes_[index].store(static_cast<std::uint32_t>(bytes),
                             std::memory_order_relaxed);
  return bytes;
}

}  // namespace rechunk

// Reading takes one request of the store around the archive, if the read begins
// where the object does: its local header comes along. Other reads take two for
// the first time, because the local header says where the data begins.
#include "store/zip_store.h"

#include <libdeflate.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "rechunk/error.h"
#include "store/inflate.h"
#include "store/read_through.h"
#include "store/sorted_keys.h"
#include "store/zip_directory.h"

namespace rechunk {
namespace {

constexpr std::int64_t kInflatePieceBytes = 256 << 10;
// A range is decoded from the entry's start on.
constexpr std::int64_t kMaxDeflatedRange = 64 << 20;

/// An archive and its directory; those who read it share it.
struct ZipArchive {
  ZipArchive(std::shared_ptr<const Store> store, std::string key_there,
             std::string place_for_people)
      : outer(std::move(store)),
        key(std::move(key_there)),
        place(std::move(place_for_people)),
        directory(*outer, key) {}

  /// Throws: io if a request did not give what it must.
  void check(const ReadRequest& got, std::int64_t bytes) const {
    if (!got.found || got.bytes_read != bytes ||
        got.version != directory.version())
      throw Error(ErrorKind::kIo, "the zip archive changes while it is read");
  }

  const std::shared_ptr<const Store> outer;
  const std::string key, place;
  const ZipDirectory directory;
};

std::uint32_t crc_of(const std::vector<std::span<std::byte>>& buffers) {
  std::uint32_t crc = 0;
  for (const auto& buffer : buffers)
    crc = libdeflate_crc32(crc, buffer.data(), buffer.size());
  return crc;
}

/// One request of a caller, as requests to the store around the archive.
class ZipRead {
 public:
  /// `prefix`: what stands before the caller's keys.
  ZipRead(const ZipArchive& archive, const std::string& prefix,
          ReadRequest& asked)
      : archive_(archive), prefix_(prefix), asked_(asked) {}

  /// The first request to the store around it; nothing if the result is there.
  std::optional<OuterRead> begin() {
    return named([&] { return start(); });
  }
  /// Takes what came of a request. The next one, or nothing.
  std::optional<OuterRead> go_on(const ReadRequest& got) {
    return named([&] { return advance(got); });
  }
  ReadRequest& asked() { return asked_; }

 private:
  using Buffers = std::vector<std::span<std::byte>>;

  template <class Action>
  auto named(Action&& action) -> std::invoke_result_t<Action> {
    return with_context(std::forward<Action>(action), [&] {
      return "reading " +
             join_key(archive_.place, join_key(prefix_, asked_.key));
    });
  }

  const ZipDirectory::Entry& entry() const {
    return archive_.directory[index_];
  }

  std::optional<OuterRead> start() {
    asked_.found = false;
    asked_.bytes_read = asked_.object_bytes = asked_.version = 0;
    const auto found =
        find_key(archive_.directory, join_key(prefix_, asked_.key));
    if (!found) return std::nullopt;
    index_ = *found;
    const std::int64_t bytes = entry().bytes;
    asked_.found = true;
    asked_.object_bytes = bytes;
    asked_.version = archive_.directory.version();
    offset_ = asked_.offset >= 0
                  ? std::min(asked_.offset, bytes)
                  : std::max<std::int64_t>(0, bytes + asked_.offset);
    wanted_ = std::min(buffer_bytes(asked_), bytes - offset_);
    if (wanted_ == 0) return std::nullopt;
    refuse_strange();
    if (entry().method != 0) {
      inflate_entry();
      asked_.bytes_read = wanted_;
      return std::nullopt;
    }
    if (const auto known = archive_.directory.header_bytes(index_); known > 0)
      return data_request(known);
    return header_request();
  }

  void refuse_strange() const {
    constexpr const char* kHint = "pack it again: zip -0 -r ARCHIVE.zip .";
    if (entry().is_encrypted)
      throw Error(ErrorKind::kUnsupported, "the zip archive is encrypted",
                  kHint);
    if (entry().method == ZipDirectory::kOther)
      throw Error(ErrorKind::kUnsupported,
                  "the zip archive uses a method that is neither stored nor "
                  "deflated",
                  kHint);
    if (entry().method != 0 && offset_ > 0 && entry().bytes > kMaxDeflatedRange)
      throw Error(ErrorKind::kUnsupported,
                  "a part of it is needed, but the zip archive holds it "
                  "compressed",
                  kHint);
  }

  // The header, and the data where it should begin after it.
  OuterRead header_request() {
    const ZipDirectory::Entry& at = entry();
    const std::int64_t bytes =
        offset_ == 0 ? archive_.directory.likely_header_bytes(index_)
                     : kZipHeaderBytes + at.name_bytes;
    header_.resize(static_cast<std::size_t>(bytes));
    Buffers buffers = {header_};
    if (offset_ == 0) {
      const Buffers data = first_buffers(asked_, wanted_);
      buffers.insert(buffers.end(), data.begin(), data.end());
    }
    requested_ = bytes + (offset_ == 0 ? wanted_ : 0);
    return request(at.offset, std::move(buffers));
  }

  OuterRead data_request(std::int64_t header_bytes) {
    requested_ = wanted_;
    return request(entry().offset + header_bytes + offset_,
                   first_buffers(asked_, wanted_));
  }

  OuterRead request(std::int64_t offset, Buffers buffers) const {
    return {archive_.outer.get(),
            {.key = archive_.key,
             .offset = offset,
             .destination = std::move(buffers)}};
  }

  std::optional<OuterRead> advance(const ReadRequest& got) {
    archive_.check(got, requested_);
    if (!header_.empty()) {
      const std::int64_t expected = static_cast<std::int64_t>(header_.size());
      const std::int64_t bytes =
          archive_.directory.check_header(index_, header_);
      header_.clear();
      if (requested_ == expected || bytes != expected)
        return data_request(bytes);
    }
    asked_.bytes_read = wanted_;
    if (wanted_ == entry().bytes)
      check_crc(crc_of(first_buffers(asked_, wanted_)));
    return std::nullopt;
  }

  void check_crc(std::uint32_t crc) const {
    if (crc != entry().crc32)
      throw Error(ErrorKind::kCorrupt,
                  "its checksum in the zip archive is another one");
  }

  // From its start on, because a stream cannot be entered in the middle.
  void inflate_entry() {
    std::vector<std::byte> piece(static_cast<std::size_t>(kInflatePieceBytes));
    std::int64_t at = 0;
    const std::int64_t header_bytes = read_header();
    Inflater inflater([&]() -> std::span<const std::byte> {
      const std::int64_t bytes =
          std::min(kInflatePieceBytes, entry().encoded_bytes - at);
      if (bytes == 0) return {};
      const auto part = std::span(piece).first(static_cast<std::size_t>(bytes));
      read_archive(entry().offset + header_bytes + at, part);
      at += bytes;
      return part;
    });
    std::uint32_t crc = skip(inflater);
    for (const auto& buffer : first_buffers(asked_, wanted_)) {
      inflater.read(buffer);
      crc = libdeflate_crc32(crc, buffer.data(), buffer.size());
    }
    if (offset_ + wanted_ < entry().bytes) return;
    if (!inflater.at_end())
      throw Error(ErrorKind::kCorrupt,
                  "it is longer than the zip archive's directory says");
    check_crc(crc);
  }

  std::uint32_t skip(Inflater& inflater) const {
    std::vector<std::byte> skipped(
        static_cast<std::size_t>(std::min(offset_, kInflatePieceBytes)));
    std::uint32_t crc = 0;
    for (std::int64_t left = offset_; left > 0;) {
      const auto part = std::span(skipped).first(static_cast<std::size_t>(
          std::min<std::int64_t>(left, kInflatePieceBytes)));
      inflater.read(part);
      crc = libdeflate_crc32(crc, part.data(), part.size());
      left -= static_cast<std::int64_t>(part.size());
    }
    return crc;
  }

  std::int64_t read_header() const {
    if (const auto known = archive_.directory.header_bytes(index_); known > 0)
      return known;
    std::vector<std::byte> header(kZipHeaderBytes + entry().name_bytes);
    read_archive(entry().offset, header);
    return archive_.directory.check_header(index_, header);
  }

  void read_archive(std::int64_t offset, std::span<std::byte> part) const {
    ReadRequest request{
        .key = archive_.key, .offset = offset, .destination = {part}};
    archive_.outer->read_one(request);
    archive_.check(request, static_cast<std::int64_t>(part.size()));
  }

  const ZipArchive& archive_;
  const std::string& prefix_;
  ReadRequest& asked_;
  std::size_t index_ = 0;
  std::int64_t offset_ = 0, wanted_ = 0;  ///< Of the object.
  std::int64_t requested_ = 0;            ///< Of the store around it.
  std::vector<std::byte> header_;         ///< Empty: it is known.
};

class ZipStore final : public ReadOnlyStore {
 public:
  ZipStore(std::shared_ptr<const ZipArchive> archive, std::string prefix)
      : ReadOnlyStore("a zip archive"),
        archive_(std::move(archive)),
        prefix_(std::move(prefix)) {}

  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    std::vector<ZipRead> reads;
    reads.reserve(requests.size());
    for (ReadRequest& request : requests)
      reads.emplace_back(*archive_, prefix_, request);
    read_through(reads, on_done);
  }

  Medium medium() const override { return archive_->outer->medium(); }

  void scan(std::string_view prefix, const VisitListed& visit) const override {
    const ZipDirectory& directory = archive_->directory;
    scan_keys(
        directory, prefix_, prefix,
        [&](std::size_t at) { return directory[at].bytes; }, visit);
  }

  std::optional<bool> exists() const override {
    return has_below(archive_->directory, prefix_);
  }

  std::string describe(std::string_view key) const override {
    return join_key(archive_->place, join_key(prefix_, key));
  }

  std::shared_ptr<Store> below(std::string_view key) const override {
    return std::make_shared<ZipStore>(archive_, join_key(prefix_, key));
  }
  std::shared_ptr<Store> above() const override {
    if (prefix_.empty()) return nullptr;
    const auto slash = prefix_.rfind('/');
    return std::make_shared<ZipStore>(
        archive_, slash == std::string::npos ? "" : prefix_.substr(0, slash));
  }

 private:
  const std::shared_ptr<const ZipArchive> archive_;
  const std::string prefix_;
};

}  // namespace

std::shared_ptr<Store> make_zip_store(std::shared_ptr<const Store> outer,
                                      const std::string& key,
                                      const std::string& place) {
  return with_context(
      [&] {
        return std::make_shared<ZipStore>(
            std::make_shared<const ZipArchive>(std::move(outer), key, place),
            "");
      },
      [&] { return "opening " + place; });
}

}  // namespace rechunk

#include "store/reference_store.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "rechunk/error.h"
#include "store/read_through.h"
#include "store/reference_places.h"
#include "store/reference_table.h"
#include "store/sorted_keys.h"

namespace rechunk {
namespace {

/// The references, and where their files are; those who read them share it.
struct References {
  References(const Store& outer, const std::string& key,
             const std::string& url_of_file,
             const std::vector<std::string>& below,
             const StorageOptions& options)
      : file(url_of_file), table(outer, key) {
    ReferencePlaces found(file, below, options);
    places.reserve(table.urls().size());
    for (const std::string& url : table.urls())
      places.push_back(found.find(url));
  }

  const std::string file;
  const ReferenceTable table;
  std::vector<ReferencePlaces::Place> places;  ///< Of each URL.
  std::once_flag measured;
  std::vector<std::int64_t> bytes;  ///< Of each URL that is named as a whole.
};

/// One request of a caller, as a request to the file that has the bytes.
class ReferenceRead {
 public:
  ReferenceRead(const References& references, const std::string& prefix,
                ReadRequest& asked)
      : references_(references), prefix_(prefix), asked_(asked) {}

  ReadRequest& asked() { return asked_; }

  std::optional<OuterRead> begin() {
    asked_.found = false;
    asked_.bytes_read = asked_.object_bytes = asked_.version = 0;
    const auto found =
        find_key(references_.table, join_key(prefix_, asked_.key));
    if (!found) return std::nullopt;
    index_ = *found;
    asked_.found = true;
    if (entry().url == ReferenceTable::kInline) {
      copy_inline();
      return std::nullopt;
    }
    if (entry().bytes == ReferenceTable::kWhole)
      return request(asked_.offset, asked_.destination);
    place_in(entry().bytes);
    // Without a buffer this asks whether the file is there, and its size.
    return request(entry().offset + offset_, first_buffers(asked_, wanted_));
  }

  std::optional<OuterRead> go_on(const ReadRequest& got) {
    if (!got.found)
      throw named(ErrorKind::kNotFound,
                  "it is not there, but the references name it");
    asked_.version = got.version;
    if (entry().bytes == ReferenceTable::kWhole) {
      asked_.object_bytes = got.object_bytes;
      asked_.bytes_read = got.bytes_read;
      return std::nullopt;
    }
    if (got.bytes_read != wanted_ ||
        got.object_bytes < entry().offset + entry().bytes)
      throw named(ErrorKind::kCorrupt,
                  "it has fewer bytes than the references say");
    asked_.bytes_read = wanted_;
    return std::nullopt;
  }

 private:
  const ReferenceTable::Entry& entry() const {
    return references_.table[index_];
  }
  const ReferencePlaces::Place& place() const {
    return references_.places[entry().url];
  }

  Error named(ErrorKind kind, const std::string& cause) const {
    return Error(kind, "reading " + references_.file + "/" +
                           join_key(prefix_, asked_.key) + ": " +
                           place().store->describe(place().key) + ": " + cause);
  }

  // Where in an object of that size the request begins, and how much it gets.
  void place_in(std::int64_t bytes) {
    asked_.object_bytes = bytes;
    offset_ = asked_.offset >= 0
                  ? std::min(asked_.offset, bytes)
                  : std::max<std::int64_t>(0, bytes + asked_.offset);
    wanted_ = std::min(buffer_bytes(asked_), bytes - offset_);
  }

  void copy_inline() {
    std::string_view bytes = references_.table.inline_bytes(entry());
    place_in(static_cast<std::int64_t>(bytes.size()));
    bytes.remove_prefix(static_cast<std::size_t>(offset_));
    for (const auto& buffer : first_buffers(asked_, wanted_)) {
      std::memcpy(buffer.data(), bytes.data(), buffer.size());
      bytes.remove_prefix(buffer.size());
    }
    asked_.bytes_read = wanted_;
    asked_.version = references_.table.version();
  }

  OuterRead request(std::int64_t offset,
                    std::vector<std::span<std::byte>> buffers) const {
    return {place().store.get(),
            {.key = place().key,
             .offset = offset,
             .destination = std::move(buffers)}};
  }

  const References& references_;
  const std::string& prefix_;
  ReadRequest& asked_;
  std::size_t index_ = 0;
  std::int64_t offset_ = 0, wanted_ = 0;  ///< Of the object.
};

class ReferenceStore final : public ReadOnlyStore {
 public:
  ReferenceStore(std::shared_ptr<References> references, std::string prefix)
      : ReadOnlyStore("a file of references"),
        references_(std::move(references)),
        prefix_(std::move(prefix)) {}

  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    std::vector<ReferenceRead> reads;
    reads.reserve(requests.size());
    for (ReadRequest& request : requests)
      reads.emplace_back(*references_, prefix_, request);
    read_through(reads, on_done);
  }

  // That of the place with the most requests at a time.
  Medium medium() const override {
    Medium most;
    std::set<const Store*> seen;
    for (const auto& place : references_->places)
      if (seen.insert(place.store.get()).second)
        if (const Medium one = place.store->medium();
            one.requests >= most.requests)
          most = one;
    return most;
  }

  void scan(std::string_view prefix, const VisitListed& visit) const override {
    const ReferenceTable& table = references_->table;
    scan_keys(
        table, prefix_, prefix,
        [&](std::size_t at) { return bytes_of(table[at]); }, visit);
  }

  std::optional<bool> exists() const override {
    return has_below(references_->table, prefix_);
  }

  std::string describe(std::string_view key) const override {
    return join_key(references_->file, join_key(prefix_, key));
  }

  std::vector<std::string> reads_from() const override {
    std::set<std::string> folders;
    for (const auto& place : references_->places) {
      const std::string file = place.store->describe(place.key);
      folders.insert(file.substr(0, file.rfind('/')));
    }
    return {folders.begin(), folders.end()};
  }

  std::shared_ptr<Store> below(std::string_view key) const override {
    return std::make_shared<ReferenceStore>(references_,
                                            join_key(prefix_, key));
  }
  std::shared_ptr<Store> above() const override {
    if (prefix_.empty()) return nullptr;
    const auto slash = prefix_.rfind('/');
    return std::make_shared<ReferenceStore>(
        references_,
        slash == std::string::npos ? "" : prefix_.substr(0, slash));
  }

 private:
  // Sizes of whole files are asked together, once, and only for listings.
  std::int64_t bytes_of(const ReferenceTable::Entry& entry) const {
    if (entry.bytes != ReferenceTable::kWhole) return entry.bytes;
    std::call_once(references_->measured, [&] { measure(); });
    return references_->bytes[entry.url];
  }

  void measure() const {
    const ReferenceTable& table = references_->table;
    std::vector<bool> is_whole(table.urls().size());
    for (std::size_t at = 0; at < table.size(); ++at)
      if (table[at].bytes == ReferenceTable::kWhole)
        is_whole[table[at].url] = true;
    std::map<const Store*, std::vector<ReadRequest>> requests;
    std::map<const Store*, std::vector<std::size_t>> urls;
    for (std::size_t url = 0; url < is_whole.size(); ++url) {
      if (!is_whole[url]) continue;
      const auto& place = references_->places[url];
      requests[place.store.get()].push_back({.key = place.key});
      urls[place.store.get()].push_back(url);
    }
    references_->bytes.resize(is_whole.size());
    for (auto& [store, asked] : requests) {
      store->read_all(asked);
      for (std::size_t i = 0; i < asked.size(); ++i)
        references_->bytes[urls[store][i]] = asked[i].object_bytes;
    }
  }

  const std::shared_ptr<References> references_;
  const std::string prefix_;
};

}  // namespace

std::shared_ptr<Store> make_reference_store(
    const Store& outer, const std::string& key, const std::string& file,
    const std::vector<std::string>& below, const StorageOptions& options) {
  return with_context(
      [&] {
        return std::make_shared<ReferenceStore>(
            std::make_shared<References>(outer, key, file, below, options), "");
      },
      [&] { return "opening " + file; });
}

}  // namespace rechunk

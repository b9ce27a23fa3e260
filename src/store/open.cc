// Opening stores by the table (stores.h), and what is the same for all of them.
#include <algorithm>

#include "rechunk/error.h"
#include "rechunk/store.h"
#include "store/archives.h"
#include "store/place.h"
#include "store/stores.h"

namespace rechunk {
namespace {

/// "s3://" of "s3://bucket/a"; "" of a path.
std::string_view scheme_of(std::string_view url) {
  constexpr std::string_view kMark = "://";
  const auto at = url.find(kMark);
  if (at == std::string_view::npos) return {};
  return url.substr(0, at + kMark.size());
}

const StoreRow& row_of(const std::string& url) {
  if (url.empty())
    throw Error(ErrorKind::kInvalidArgument, "opening a store: no path given");
  const std::string_view scheme = scheme_of(url);
  for (const StoreRow& row : kStores)
    if (row.scheme == scheme) return row;
  throw Error(ErrorKind::kUnsupported,
              "opening " + url + ": no store for " + std::string(scheme),
              known_places() + " are supported");
}

}  // namespace

std::string known_places() {
  std::string names;
  for (const StoreRow& row : kStores) {
    const bool is_last = &row == std::end(kStores) - 1;
    names += (names.empty() ? ""
              : is_last     ? " and "
                            : ", ") +
             std::string(row.name);
  }
  return names;
}

bool has_store(const std::string& url) {
  const std::string_view scheme = scheme_of(url);
  return std::any_of(std::begin(kStores), std::end(kStores),
                     [&](auto& row) { return row.scheme == scheme; });
}

std::shared_ptr<Store> open_store(
    const std::string& url, const StorageOptions& options,
    const std::vector<std::string>& references_below) {
  const StoreRow& row = row_of(url);
  if (auto archive = open_archive(url, options, references_below))
    return archive;
  return row.open(url, options);
}

StoredObject open_object(const std::string& url, const Storage& storage) {
  const std::string around = place_around(url);
  // It is none of the three places that have options of their own.
  const StorageOptions options = Storage{.all = storage.all}.for_source(around);
  return {open_store(around, options), name_of_place(url)};
}

// An option that is a secret of one store is one everywhere.
StorageOptions without_secrets(const StorageOptions& options) {
  const auto is_any = [](const std::string& name, bool is_secret) {
    return std::any_of(
        std::begin(kStores), std::end(kStores), [&](const StoreRow& row) {
          return std::any_of(row.options.begin(), row.options.end(),
                             [&](const StorageOption& option) {
                               return option.is_secret == is_secret &&
                                      is_called(option, name);
                             });
        });
  };
  StorageOptions kept;
  for (const auto& [name, value] : options) {
    // User information in an endpoint is a secret, too.
    if (is_any(name, false) && !is_any(name, true) &&
        value.find('@') == std::string::npos)
      kept.emplace(name, value);
  }
  return kept;
}

namespace {

StorageOptions together(const std::string& place, StorageOptions own,
                        const StorageOptions& all) {
  if (!is_local(place)) own.insert(all.begin(), all.end());
  return own;
}

}  // namespace

StorageOptions Storage::for_source(const std::string& place) const {
  return together(place, source, all);
}
StorageOptions Storage::for_target(const std::string& place) const {
  return together(place, target, all);
}
StorageOptions Storage::for_temp(const std::string& place) const {
  return together(place, temp, all);
}

void Store::write_many(std::span<WriteRequest> requests,
                       const OnWritten& on_done) {
  for (WriteRequest& request : requests) {
    do {
      const auto writer = open_writer(request.key);
      writer->append(request.bytes);
      writer->commit();
    } while (on_done && on_done(request));
  }
}

void Store::erase_many(std::span<const std::string> keys) {
  for (const std::string& key : keys) erase(key);
}

std::unique_ptr<ObjectWriter> ReadOnlyStore::open_writer(std::string_view key,
                                                         std::int64_t) {
  refuse(key);
}
void ReadOnlyStore::write_many(std::span<WriteRequest> requests,
                               const OnWritten&) {
  if (!requests.empty()) refuse(requests.front().key);
}
bool ReadOnlyStore::create_if_absent(std::string_view key,
                                     std::span<const std::byte>) {
  refuse(key);
}
bool ReadOnlyStore::erase(std::string_view key) { refuse(key); }

void ReadOnlyStore::refuse(std::string_view key) const {
  throw Error(ErrorKind::kUnsupported,
              "writing " + describe(key) + ": " + kind_ + " can only be read",
              "choose another target");
}

void Store::list(
    std::string_view prefix,
    const std::function<void(std::string_view, std::int64_t)>& visit) const {
  scan(prefix, [&](std::string_view key, std::int64_t bytes) {
    visit(key, bytes);
    return true;
  });
}

namespace {

// Most documents fit. A longer one tells its size and is read again.
constexpr std::size_t kUsualTextBytes = 16 << 10;

}  // namespace

std::optional<std::string> read_text(const Store& store, std::string_view key,
                                     std::int64_t max_bytes) {
  std::string text(kUsualTextBytes, '\0');
  constexpr int kTries = 8;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    ReadRequest request{
        .key = std::string(key),
        .destination = {std::as_writable_bytes(std::span<char>(text))}};
    store.read_one(request);
    if (!request.found) return std::nullopt;
    if (request.object_bytes > max_bytes)
      throw Error(ErrorKind::kCorrupt,
                  "reading " + store.describe(key) + ": " +
                      std::to_string(request.object_bytes) +
                      " bytes are too many for such an object");
    const bool complete = request.bytes_read == request.object_bytes;
    text.resize(static_cast<std::size_t>(complete ? request.bytes_read
                                                  : request.object_bytes));
    if (complete) return text;
  }
  throw Error(ErrorKind::kIo, "reading " + store.describe(key) +
                                  ": it changes while it is read");
}

std::vector<std::optional<std::string>> read_texts(
    const Store& store, std::span<const std::string> keys,
    std::int64_t max_bytes) {
  constexpr std::size_t kAtATime = 64;
  std::vector<std::optional<std::string>> texts(keys.size());
  const std::size_t slots = std::min(kAtATime, keys.size());
  std::vector<std::string> buffers(slots, std::string(kUsualTextBytes, '\0'));
  std::vector<ReadRequest> requests(slots);
  std::vector<std::size_t> places(slots), longer;
  std::size_t next = 0;
  const auto ask = [&](std::size_t slot) {
    places[slot] = next;
    requests[slot].key = keys[next++];
    requests[slot].destination = {
        std::as_writable_bytes(std::span<char>(buffers[slot]))};
  };
  for (std::size_t slot = 0; slot < slots; ++slot) ask(slot);
  store.read_many(requests, [&](ReadRequest& request) {
    const auto slot = static_cast<std::size_t>(&request - requests.data());
    if (request.found && request.bytes_read == request.object_bytes)
      texts[places[slot]] =
          buffers[slot].substr(0, static_cast<std::size_t>(request.bytes_read));
    else if (request.found)
      longer.push_back(places[slot]);
    if (next == keys.size()) return false;
    ask(slot);
    return true;
  });
  for (const std::size_t place : longer)
    texts[place] = read_text(store, keys[place], max_bytes);
  return texts;
}

bool has_object(const Store& store, std::string_view key) {
  ReadRequest request{.key = std::string(key)};
  store.read_one(request);
  return request.found;
}

std::vector<bool> have_objects(const Store& store,
                               std::span<const std::string> keys) {
  std::vector<ReadRequest> requests(keys.size());
  for (std::size_t at = 0; at < keys.size(); ++at) requests[at].key = keys[at];
  store.read_all(requests);
  std::vector<bool> found;
  for (const ReadRequest& request : requests) found.push_back(request.found);
  return found;
}

std::vector<std::string> keys_below(const Store& store,
                                    std::string_view prefix) {
  std::vector<std::string> keys;
  store.list(prefix, [&](std::string_view key, std::int64_t) {
    keys.emplace_back(key);
  });
  std::sort(keys.begin(), keys.end());
  return keys;
}

void write_object(Store& store, std::string_view key,
                  std::span<const std::byte> bytes) {
  WriteRequest request{std::string(key), bytes};
  store.write_many({&request, 1}, nullptr);
}

void write_text(Store& store, std::string_view key, std::string_view text) {
  write_object(store, key, std::as_bytes(std::span<const char>(text)));
}

std::string join_key(std::string_view parent, std::string_view child) {
  if (parent.empty()) return std::string(child);
  if (child.empty()) return std::string(parent);
  return std::string(parent) + "/" + std::string(child);
}

}  // namespace rechunk

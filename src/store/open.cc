// Opening stores by the table (stores.h), and what is the same for all of them.
#include <algorithm>

#include "rechunk/error.h"
#include "rechunk/store.h"
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

std::shared_ptr<Store> open_store(const std::string& url) {
  return row_of(url).open(url);
}

void remove_unfinished(const std::string& url, Writers writers) {
  open_store(url);  // Throws if there is no store for it.
  row_of(url).remove_unfinished(url, writers);
}

void Store::list(
    std::string_view prefix,
    const std::function<void(std::string_view, std::int64_t)>& visit) const {
  scan(prefix, [&](std::string_view key, std::int64_t bytes) {
    visit(key, bytes);
    return true;
  });
}

std::optional<std::string> read_text(const Store& store, std::string_view key,
                                     std::int64_t max_bytes) {
  // Most documents fit. A longer one tells its size and is read again.
  std::string text(16 << 10, '\0');
  constexpr int kTries = 8;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    ReadRequest request{
        .key = std::string(key),
        .destination = {std::as_writable_bytes(std::span<char>(text))}};
    store.read_many({&request, 1});
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
  const auto writer = store.open_writer(key);
  writer->append(bytes);
  writer->commit();
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

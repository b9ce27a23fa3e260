// The one table of stores, and what is the same for all of them.
#include <algorithm>
#include <array>
#include <utility>

#include "rechunk/error.h"
#include "rechunk/store.h"
#include "store/file_store.h"
#include "store/file_url.h"
#include "store/foreign_file.h"

namespace rechunk {
namespace {

struct Scheme {
  std::string_view prefix;
  std::shared_ptr<Store> (*open)(const std::string& url);
  void (*remove_unfinished)(const std::string& url);
};

std::shared_ptr<Store> open_folder(std::string path) {
  refuse_file(path);
  return make_file_store(std::move(path));
}

std::shared_ptr<Store> open_file_url(const std::string& url) {
  return open_folder(file_path(url));
}

void remove_partial_of_url(const std::string& url) {
  remove_partial_files(file_path(url));
}

constexpr std::array<Scheme, 1> kSchemes{
    {{kFileScheme, open_file_url, remove_partial_of_url}}};

}  // namespace

std::shared_ptr<Store> open_store(const std::string& url) {
  if (url.empty())
    throw Error(ErrorKind::kInvalidArgument, "opening a store: no path given");
  for (const Scheme& scheme : kSchemes)
    if (url.starts_with(scheme.prefix)) return scheme.open(url);
  if (const auto end = url.find("://"); end != std::string::npos)
    throw Error(ErrorKind::kUnsupported,
                "opening " + url + ": no store for " + url.substr(0, end + 3),
                "paths and file:// are supported");
  return open_folder(url);
}

void remove_unfinished(const std::string& url) {
  open_store(url);  // Throws where there is no store for it.
  for (const Scheme& scheme : kSchemes)
    if (url.starts_with(scheme.prefix)) return scheme.remove_unfinished(url);
  remove_partial_files(url);
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

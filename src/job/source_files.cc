#include "job/source_files.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/array_label.h"
#include "base/retry.h"
#include "rechunk/error.h"
#include "zarr/documents/own_folders.h"

namespace rechunk {
namespace {

constexpr std::int64_t kBlockBytes = 1 << 20;

using Buffer = std::span<std::byte>;

// Of a run whose target lies within the source.
bool lies_in_a_journal(std::string_view key) {
  return key.find(".rechunk/") != std::string_view::npos;
}

// "c/0/1", "0.1", "0/1", "c", "0": of any grid, with any separator.
bool is_chunk_name(std::string_view key) {
  if (key == "c") return true;
  if (key.starts_with("c/") || key.starts_with("c.")) key.remove_prefix(2);
  bool digit = false;
  for (const char c : key) {
    const bool separator = c == '.' || c == '/';
    if ((separator && !digit) || (!separator && (c < '0' || c > '9')))
      return false;
    digit = !separator;
  }
  return digit;
}

// The key below the innermost array that it lies in; nothing if it does not.
std::optional<std::string_view> key_in_array(const Hierarchy& hierarchy,
                                             std::string_view key) {
  for (std::size_t slash = key.rfind('/'); slash != std::string_view::npos;
       slash = slash == 0 ? std::string_view::npos : key.rfind('/', slash - 1))
    if (hierarchy.arrays.contains(std::string(key.substr(0, slash))))
      return key.substr(slash + 1);
  if (hierarchy.root_is_array) return key;
  return std::nullopt;
}

// Its documents are written with those of all other arrays.
bool is_unread_object(const Hierarchy& hierarchy, std::string_view key) {
  if (!is_inside_unread(hierarchy, key)) return false;
  const std::string folder(key.substr(0, key.rfind('/')));
  return !is_document(key) || !hierarchy.unread.contains(folder);
}

// Who does not see the source finds no objects of theirs either.
void check_unread_documents(const PlannedJob& job) {
  const Store& source = *job.stores.source;
  for (const auto& [path, array] : job.source.unread)
    for (const auto& [name, text] : array.documents) {
      const std::string key = join_key(path, name);
      if (read_text(source, key) == text) continue;
      throw Error(ErrorKind::kInvalidArgument,
                  "reading array " + path + ": " + source.describe(key) +
                      " is not what it was when the run was planned",
                  "put the source back, or where every process sees it, or "
                  "plan again");
    }
}

ReadRequest request_of(const std::string& key, std::int64_t offset,
                       Buffer block) {
  ReadRequest request;
  request.key = key;
  request.offset = offset;
  request.destination = {block};
  return request;
}

// False for links that lead nowhere, pipes, files of others.
bool is_readable(const Store& store, const std::string& key) {
  std::byte first;
  ReadRequest request = request_of(key, 0, {&first, 1});
  try {
    store.read_one(request);
    return request.found;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kIo) throw;
    return false;
  }
}

// Calls `take(bytes)` block by block; returns how many there were.
template <class Take>
std::int64_t read_file(const Store& store, const std::string& key, Buffer block,
                       Take&& take) {
  std::int64_t offset = 0;
  for (;;) {
    ReadRequest request = request_of(key, offset, block);
    store.read_one(request);
    if (request.bytes_read > 0)
      take(block.first(static_cast<std::size_t>(request.bytes_read)));
    offset += request.bytes_read;
    if (offset >= request.object_bytes) return offset;
    if (!request.found || request.bytes_read == 0)
      throw Error(ErrorKind::kCorrupt,
                  "copying " + store.describe(key) + ": it changed meanwhile");
  }
}

std::int64_t copy_file(const PlannedJob& job, const std::string& key,
                       Buffer block) {
  const auto writer = job.stores.target->open_writer(key);
  const std::int64_t bytes =
      read_file(*job.stores.source, key, block,
                [&](std::span<const std::byte> read) { writer->append(read); });
  writer->commit();
  return bytes;
}

void verify_file(const PlannedJob& job, const std::string& key,
                 std::int64_t bytes, Buffer block) {
  const Buffer source = block.first(block.size() / 2);
  std::int64_t offset = 0;
  bool same = true;
  const auto compare = [&](std::span<const std::byte> found) {
    ReadRequest request =
        request_of(key, offset, block.subspan(source.size(), found.size()));
    job.stores.target->read_one(request);
    same =
        same && request.object_bytes == bytes &&
        std::equal(found.begin(), found.end(), request.destination[0].begin());
    offset += static_cast<std::int64_t>(found.size());
  };
  const std::int64_t read = read_file(*job.stores.source, key, source, compare);
  if (!same || read != bytes)
    throw Error(ErrorKind::kCorrupt,
                "verifying " + job.stores.target->describe(key) +
                    ": it differs from " + job.stores.source->describe(key));
}

void leave_files_out(const PlannedJob& job, Report& report) {
  const std::string place = job.stores.source->describe("");
  if (!job.source.unread.empty())
    throw Error(ErrorKind::kUnsupported,
                "copying " + array_label(job.source.unread.begin()->first) +
                    " as it is: " + place +
                    " does not say which objects it has",
                "choose the other arrays, or download the source first");
  report.notes.add("files", place,
                   "this server does not say what it has: arrays are those of "
                   "consolidated metadata, and other files are not copied");
}

}  // namespace

bool is_file(const Hierarchy& hierarchy, std::string_view key) {
  if (is_document(key) || lies_in_own_folder(key) || lies_in_a_journal(key) ||
      is_inside_unread(hierarchy, key))
    return false;
  const auto inner = key_in_array(hierarchy, key);
  return !inner || !is_chunk_name(*inner);
}

namespace {

bool may_have_files(const PlannedJob& job) {
  return !job.existing && job.stores.source && job.source_has_documents &&
         !(job.options.without_files && job.source.unread.empty());
}

}  // namespace

SourceFiles::SourceFiles(const PlannedJob& job) : job_(job) {
  if (!may_have_files(job) || !job.stores.source->can_list()) return;
  const bool is_remote = job.stores.source->medium().is_remote;
  keys_ = std::async(is_remote ? std::launch::async : std::launch::deferred,
                     [this] { return find(); });
}

SourceFiles::~SourceFiles() { stop_.request_stop(); }

std::vector<std::string> SourceFiles::find() const {
  std::vector<std::string> keys;
  job_.stores.source->scan("", [&](std::string_view key, std::int64_t) {
    const bool file = !job_.options.without_files && is_file(job_.source, key);
    if (file || is_unread_object(job_.source, key)) keys.emplace_back(key);
    return !stop_.stop_requested();
  });
  std::sort(keys.begin(), keys.end());
  return keys;
}

void SourceFiles::copy(MemoryBudget& budget, Report& report) {
  const PlannedJob& job = job_;
  if (!may_have_files(job)) return;
  check_unread_documents(job);
  if (!job.stores.source->can_list()) return leave_files_out(job, report);
  const std::vector<std::string> keys = keys_.get();
  if (keys.empty()) return;
  Arena arena = budget.acquire(std::min(
      kBlockBytes, budget.limit() - budget.limit() % MemoryBudget::kAlignment));
  const Buffer block = arena.take(arena.capacity());
  for (const std::string& key : keys) {
    const bool of_array = is_inside_unread(job.source, key);
    if (!of_array && !is_readable(*job.stores.source, key)) {
      report.notes.add("files", key, "left out, because it cannot be read");
      continue;
    }
    const std::int64_t bytes = with_context(
        [&] { return retrying([&] { return copy_file(job, key, block); }); },
        [&] {
          return of_array ? "moving an object as stored"
                          : "copying a file that is no Zarr";
        });
    if (job.options.verify) verify_file(job, key, bytes, block);
    if (of_array) continue;
    ++report.files.copied;
    report.files.bytes += bytes;
  }
}

}  // namespace rechunk

#include "job/foreign_files.h"

#include <dirent.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "job/source_files.h"
#include "json/raw_json.h"
#include "rechunk/error.h"
#include "store/folders.h"
#include "store/io_error.h"
#include "zarr/documents/keys.h"

namespace rechunk {
namespace {

constexpr std::string_view kJournalSuffix = ".rechunk";
constexpr std::size_t kMostNamed = 5;

// NetCDF writes these beside .zarray and .zgroup: they tell of the old arrays.
bool belongs_to_zarr(std::string_view key) {
  return is_document(key) || key_name(key).starts_with(".nczarray") ||
         key_name(key).starts_with(".nczgroup") ||
         key_name(key).starts_with(".nczattr");
}

// Where the arrays lie, and nothing more of them.
void add_array(Hierarchy& outline, const std::string& path) {
  outline.arrays[path];
  if (path.empty()) outline.root_is_array = true;
}

bool is_unread(const std::string& zarr_json) {
  try {
    parse_array_v3(zarr_json);
    return false;
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kUnsupported;
  }
}

// Adds the array that a document describes. A damaged one describes none: what
// lies below it stays.
void add_described(Hierarchy& outline, std::string_view key,
                   const Store& store) {
  const std::string path = key_parent(key);
  if (key_name(key) == ".zarray") return add_array(outline, path);
  if (key_name(key) != "zarr.json") return;
  try {
    const auto text = read_text(store, key);
    if (!text) return;
    const auto type = raw_json::find(raw_json::parse(*text), "node_type");
    if (!path.empty() && is_unread(*text))
      outline.unread[path];
    else if (type && raw_json::as_string(*type) == "array")
      add_array(outline, path);
  } catch (const Error&) {
    return;
  }
}

/// Goes through the folders of one target.
class Walk {
 public:
  explicit Walk(const std::string& root)
      : root_(root), store_(open_store(root)) {}

  std::vector<std::string> files() {
    enter("");
    std::sort(files_.begin(), files_.end());
    return std::move(files_);
  }

 private:
  struct Entry {
    std::string name;
    mode_t mode;
  };

  std::string path_of(std::string_view key) const {
    return key.empty() ? root_ : root_ + "/" + std::string(key);
  }

  std::vector<Entry> entries_of(const std::string& folder) const {
    std::vector<Entry> entries;
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()),
                                                   ::closedir);
    if (!open) {
      if (errno == ENOENT || errno == ENOTDIR) return entries;
      throw_io("listing", folder, errno);
    }
    while (const dirent* entry = ::readdir(open.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == ".." || is_partial(name)) continue;
      struct stat status {};
      if (entry->d_type != DT_UNKNOWN)
        status.st_mode = DTTOIF(entry->d_type);
      else if (::lstat((folder + "/" + name).c_str(), &status) != 0)
        continue;  // Gone since.
      entries.push_back({name, status.st_mode});
    }
    return entries;
  }

  void enter(const std::string& key) {
    const std::vector<Entry> entries = entries_of(path_of(key));
    for (const Entry& entry : entries)
      add_described(outline_, join_key(key, entry.name), *store_);
    for (const Entry& entry : entries) {
      const std::string inner = join_key(key, entry.name);
      if (S_ISDIR(entry.mode)) {
        refuse_run(inner);
        enter(inner);
      } else if (!(S_ISLNK(entry.mode) && leads_to_zarr(inner)) &&
                 !belongs_to_zarr(inner) && is_file(outline_, inner)) {
        files_.push_back(inner);
      }
    }
  }

  void refuse_run(const std::string& key) const {
    if (!key.ends_with(kJournalSuffix) ||
        !has_object(*store_, join_key(key, "plan.json")))
      return;
    const std::string place =
        path_of(key.substr(0, key.size() - kJournalSuffix.size()));
    throw Error(ErrorKind::kInvalidArgument,
                "replacing " + root_ + ": " + place + " has an unfinished run",
                action("resume", place) + " ends it, " +
                    action("discard", place) + " drops it");
  }

  bool leads_to_zarr(const std::string& key) const {
    struct stat status {};
    return ::stat(path_of(key).c_str(), &status) == 0 &&
           S_ISDIR(status.st_mode) && has_metadata(*open_store(path_of(key)));
  }

  const std::string root_;
  const std::shared_ptr<Store> store_;
  Hierarchy outline_;
  std::vector<std::string> files_;
};

// Of a store, with the arrays of a hierarchy.
struct Listed {
  Hierarchy outline;
  std::vector<std::string> documents, others;
};

Listed list_all(const Store& store, std::string_view spared_prefix) {
  Listed listed;
  store.list("", [&](std::string_view key, std::int64_t) {
    if (!spared_prefix.empty() && key.starts_with(spared_prefix)) return;
    (belongs_to_zarr(key) ? listed.documents : listed.others).emplace_back(key);
  });
  for (const std::string& key : listed.documents)
    add_described(listed.outline, key, store);
  return listed;
}

// A run that was killed while it replaced documents has left chunks without.
bool may_be_chunk(std::string key) {
  Hierarchy array;
  add_array(array, "");
  for (;;) {
    if (!is_file(array, key)) return true;
    const std::size_t slash = key.find('/');
    if (slash == std::string::npos) return false;
    key.erase(0, slash + 1);
  }
}

}  // namespace

std::vector<std::string> foreign_files(const std::string& folder) {
  return Walk(folder).files();
}

std::vector<std::string> foreign_files(const Store& store) {
  Listed listed = list_all(store, {});
  std::erase_if(listed.others, [&](const std::string& key) {
    return !is_file(listed.outline, key);
  });
  return std::move(listed.others);
}

void check_out_of_the_way(const std::vector<std::string>& files,
                          const Hierarchy& hierarchy,
                          const std::string& place) {
  std::vector<std::string> in_the_way;
  const auto is_above_a_node = [&](const std::string& key) {
    const auto is_above = [&](const auto& node) {
      return node.first == key || node.first.starts_with(key + "/");
    };
    return std::any_of(hierarchy.arrays.begin(), hierarchy.arrays.end(),
                       is_above) ||
           std::any_of(hierarchy.unread.begin(), hierarchy.unread.end(),
                       is_above) ||
           std::any_of(hierarchy.groups.begin(), hierarchy.groups.end(),
                       is_above);
  };
  for (const std::string& key : files)
    if (!is_file(hierarchy, key) || is_above_a_node(key))
      in_the_way.push_back(key);
  if (in_the_way.empty()) return;
  const std::size_t named = std::min(kMostNamed, in_the_way.size());
  std::string names = fmt::format(
      "{}", fmt::join(in_the_way.begin(), in_the_way.begin() + named, ", "));
  if (named < in_the_way.size())
    names += fmt::format(" and {} more", in_the_way.size() - named);
  throw Error(
      ErrorKind::kInvalidArgument,
      "replacing " + place +
          ": files that are not Zarr are in the place of new arrays: " + names,
      "move them elsewhere");
}

void erase_zarr(Store& store, const Hierarchy& hierarchy,
                std::string_view spared_prefix) {
  Listed listed = list_all(store, spared_prefix);
  for (const auto& [path, array] : hierarchy.arrays)
    add_array(listed.outline, path);
  for (const auto& [path, array] : hierarchy.unread)
    listed.outline.unread[path];
  std::sort(listed.documents.begin(), listed.documents.end(), outer_key_first);
  // One after the other: the root's document goes first.
  for (const std::string& key : listed.documents) store.erase(key);
  std::erase_if(listed.others, [&](const std::string& key) {
    return is_file(listed.outline, key) &&
           !(listed.documents.empty() && may_be_chunk(key));
  });
  store.erase_many(listed.others);
}

}  // namespace rechunk

#include "store/folders.h"

#include <dirent.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "rechunk/error.h"
#include "rechunk/store.h"

namespace rechunk {
namespace {

// A few links to folders of links can name more files than a disk holds.
constexpr int kMaxLinks = 1 << 16;

using Identity = std::pair<dev_t, ino_t>;

[[noreturn]] void fail(const std::string& path, const std::string& cause) {
  throw Error(ErrorKind::kIo, "listing " + path + ": " + cause);
}

Identity identity(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

class Listing {
 public:
  explicit Listing(const VisitListed& visit) : visit_(visit) {}

  /// These return false if the visitor has ended the listing.
  bool enter(const std::string& folder, std::string_view prefix);

 private:
  bool visit_entry(const std::string& path, const std::string& key);
  bool visit_link(const std::string& path, const std::string& key);
  bool holds_itself(const struct stat& status);
  void find_folders_above();

  const VisitListed& visit_;
  std::string start_;
  std::vector<Identity> inside_;                ///< Folders being listed.
  std::optional<std::vector<Identity>> above_;  ///< Those that hold the first.
  int links_ = 0;
};

bool Listing::enter(const std::string& folder, std::string_view prefix) {
  if (inside_.empty()) start_ = folder;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder.c_str()),
                                                    ::closedir);
  struct stat status {};
  if (!entries || ::fstat(::dirfd(entries.get()), &status) != 0) {
    // Removed since the folder above was read.
    if (errno == ENOENT || errno == ENOTDIR) return true;
    fail(folder, std::strerror(errno));
  }
  inside_.push_back(identity(status));
  bool goes_on = true;
  while (const dirent* entry = goes_on ? ::readdir(entries.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || is_partial(name)) continue;
    goes_on = visit_entry(folder + "/" + entry->d_name, join_key(prefix, name));
  }
  inside_.pop_back();
  return goes_on;
}

bool Listing::visit_entry(const std::string& path, const std::string& key) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return true;  // Gone since.
    fail(path, std::strerror(errno));
  }
  if (S_ISLNK(status.st_mode)) return visit_link(path, key);
  if (S_ISDIR(status.st_mode)) return enter(path, key);
  return visit_(key, S_ISREG(status.st_mode) ? status.st_size : 0);
}

bool Listing::visit_link(const std::string& path, const std::string& key) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ELOOP && errno != ENOTDIR)
      fail(path, std::strerror(errno));
    return visit_(key, 0);
  }
  if (!S_ISDIR(status.st_mode))
    return visit_(key, S_ISREG(status.st_mode) ? status.st_size : 0);
  if (holds_itself(status)) return visit_(key, 0);
  if (++links_ > kMaxLinks)
    fail(start_, "more than " + std::to_string(kMaxLinks) +
                     " symbolic links to folders");
  return enter(path, key);
}

bool Listing::holds_itself(const struct stat& status) {
  // Few stores have links, so this is found when the first link comes.
  if (!above_) find_folders_above();
  const Identity folder = identity(status);
  return std::find(inside_.begin(), inside_.end(), folder) != inside_.end() ||
         std::find(above_->begin(), above_->end(), folder) != above_->end();
}

void Listing::find_folders_above() {
  above_.emplace();
  const std::unique_ptr<char, void (*)(void*)> real(
      ::realpath(start_.c_str(), nullptr), ::free);
  if (!real) return;
  std::string folder = real.get();
  while (folder.size() > 1) {
    folder.resize(std::max<std::size_t>(1, folder.rfind('/')));
    struct stat status {};
    if (::stat(folder.c_str(), &status) == 0)
      above_->push_back(identity(status));
  }
}

}  // namespace

bool is_partial(std::string_view name) {
  if (!name.ends_with(kPartialSuffix)) return false;
  name.remove_suffix(kPartialSuffix.size());
  const std::string_view unique = name.substr(name.rfind('.') + 1);
  // The form of `PartialFiles::name_beside`. A user's own file may be called
  // "a.partial".
  return unique.size() < name.size() &&
         unique.find('-') != std::string_view::npos &&
         unique.find_first_not_of("0123456789-") == std::string_view::npos;
}

void list_files(const std::string& folder, std::string_view prefix,
                const VisitListed& visit) {
  Listing(visit).enter(folder, prefix);
}

std::optional<std::string> link_between(const std::string& root,
                                        const std::string& path) {
  // The root itself may be a link, because the user named it.
  for (std::size_t slash = path.find('/', root.size() + 1);
       slash != std::string::npos; slash = path.find('/', slash + 1)) {
    std::string folder = path.substr(0, slash);
    struct stat status {};
    if (::lstat(folder.c_str(), &status) != 0) return {};
    if (S_ISLNK(status.st_mode)) return folder;
  }
  return {};
}

bool is_in_memory(const std::string& folder) {
  struct statfs status {};
  return ::statfs(folder.c_str(), &status) == 0 &&
         (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

}  // namespace rechunk

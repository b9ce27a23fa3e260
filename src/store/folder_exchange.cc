#include "store/folder_exchange.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "rechunk/error.h"
#include "store/io_error.h"

namespace rechunk {
namespace {

enum class Standing { kBefore, kBetween, kDone };

std::uint64_t inode_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return status.st_ino;
  if (errno != ENOENT) throw_io("looking at", path, errno);
  return 0;
}

[[noreturn]] void throw_not_as_left(const FolderExchange& folders) {
  throw Error(ErrorKind::kCorrupt,
              "replacing " + folders.target +
                  ": what is there was put there by somebody else while the "
                  "run was ending",
              "nothing is removed; the new target is " + folders.fresh);
}

Standing standing_of(const FolderExchange& folders, const Inodes& before) {
  const std::uint64_t target = inode_of(folders.target);
  if (target == before.fresh) return Standing::kDone;
  const bool known = target == before.target || target == 0;
  if (!known || inode_of(folders.fresh) != before.fresh)
    throw_not_as_left(folders);
  // The old folder was moved aside, and a process was killed before the next
  // step.
  const bool between = target == 0 && inode_of(folders.aside) != 0;
  return between ? Standing::kBetween : Standing::kBefore;
}

void move(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw_io("moving " + from + " to", to, errno);
}

// Nothing, or why it failed.
int exchange_at_once(const std::string& one, const std::string& other) {
  return ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(),
                     RENAME_EXCHANGE) == 0
             ? 0
             : errno;
}

// The answers of file systems that have no exchange.
bool is_unknown(int code) {
  return code == EINVAL || code == ENOSYS || code == EOPNOTSUPP;
}

void make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST)
    throw_io("making folder", path, errno);
}

void remove_entry(const std::string& path, bool folder) {
  const int failed = folder ? ::rmdir(path.c_str()) : ::unlink(path.c_str());
  if (failed != 0 && errno != ENOENT) throw_io("removing", path, errno);
}

}  // namespace

Inodes inodes_of(const FolderExchange& folders) {
  return {inode_of(folders.target), inode_of(folders.fresh)};
}

bool is_exchanged(const FolderExchange& folders, const Inodes& before) {
  return inode_of(folders.target) == before.fresh;
}

void exchange(const FolderExchange& folders, const Inodes& before) {
  const Standing standing = standing_of(folders, before);
  if (standing == Standing::kDone) return;
  if (standing == Standing::kBetween || inode_of(folders.target) == 0)
    return move(folders.fresh, folders.target);
  const int code = exchange_at_once(folders.fresh, folders.target);
  if (code == 0) return;
  if (!is_unknown(code)) throw_io("replacing", folders.target, code);
  // Two steps, because this disk has no exchange.
  move(folders.target, folders.aside);
  try {
    move(folders.fresh, folders.target);
  } catch (const Error&) {
    put_back(folders);
    throw;
  }
}

void put_back(const FolderExchange& folders) {
  if (inode_of(folders.target) == 0 && inode_of(folders.aside) != 0)
    move(folders.aside, folders.target);
}

bool can_exchange(const std::string& folder) {
  const std::string one = folder + "/one", other = folder + "/other";
  for (const std::string& path : {folder, one, other}) make_folder(path);
  const int code = exchange_at_once(one, other);
  remove_tree(folder);
  if (code != 0 && !is_unknown(code)) throw_io("exchanging", one, code);
  return code == 0;
}

void remove_tree(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return;
    throw_io("removing", path, errno);
  }
  const bool folder = S_ISDIR(status.st_mode);
  if (folder) {
    // The folder is closed before the next level opens. So deep trees need only
    // one open folder.
    std::vector<std::string> names;
    {
      const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(path.c_str()),
                                                        ::closedir);
      if (!entries && errno != ENOENT) throw_io("removing", path, errno);
      while (const dirent* entry = entries ? ::readdir(entries.get()) : nullptr)
        names.emplace_back(entry->d_name);
    }
    for (const std::string& name : names)
      if (name != "." && name != "..") remove_tree(path + "/" + name);
  }
  remove_entry(path, folder);
}

}  // namespace rechunk

#include "store/carry_over.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <vector>

#include "rechunk/error.h"
#include "store/io_error.h"
#include "store/partial_files.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

struct stat status_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw_io("looking at", path, errno);
  return status;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

void carry_owner(const struct stat& from, const std::string& to) {
  if (::lchown(to.c_str(), from.st_uid, from.st_gid) == 0) return;
  // Only an administrator may give files away. Other users may still choose one
  // of their groups.
  if (errno == EPERM && ::lchown(to.c_str(), -1, from.st_gid) == 0) return;
  // The file then stays the user's, as any new file: that is no error.
  if (errno != EPERM && errno != EINVAL && errno != ENOSYS &&
      errno != EOPNOTSUPP)
    throw_io("giving away", to, errno);
}

// "user.note\0system.posix_acl_access\0"
std::vector<std::string> attributes_of(const std::string& path) {
  for (;;) {
    const ssize_t size = ::llistxattr(path.c_str(), nullptr, 0);
    if (size <= 0) return {};  // None, or none on this disk.
    std::string names(static_cast<std::size_t>(size), '\0');
    const ssize_t got = ::llistxattr(path.c_str(), names.data(), names.size());
    // An attribute was added between the two calls.
    if (got < 0 && errno == ERANGE) continue;
    std::vector<std::string> list;
    for (std::size_t at = 0; got > 0 && at < static_cast<std::size_t>(got);
         at += list.back().size() + 1)
      list.emplace_back(names.c_str() + at);
    return list;
  }
}

void carry_attribute(const std::string& from, const std::string& to,
                     const std::string& name) {
  const ssize_t size = ::lgetxattr(from.c_str(), name.c_str(), nullptr, 0);
  if (size < 0) return;  // Gone since, or not for us to read.
  std::string value(static_cast<std::size_t>(size), '\0');
  const ssize_t got =
      ::lgetxattr(from.c_str(), name.c_str(), value.data(), value.size());
  if (got < 0) return;
  if (::lsetxattr(to.c_str(), name.c_str(), value.data(),
                  static_cast<std::size_t>(got), 0) == 0)
    return;
  // Users cannot set other attributes, such as security labels.
  const bool of_users =
      name.starts_with("user.") || name.starts_with("system.posix_acl");
  if (of_users) throw_io("giving attribute " + name + " to", to, errno);
}

void make_folders(const std::string& root_from, const std::string& root_to,
                  const std::string& key) {
  for (std::size_t slash = key.find('/'); slash != std::string::npos;
       slash = key.find('/', slash + 1)) {
    const std::string below = "/" + key.substr(0, slash);
    if (::mkdir((root_to + below).c_str(), 0777) == 0)
      carry_access(root_from + below, root_to + below);
    else if (errno != EEXIST)
      throw_io("making folder", root_to + below, errno);
  }
}

void copy_content(const std::string& from, const std::string& to,
                  const struct stat& status) {
  const std::string partial = PartialFiles::name_beside(to);
  std::error_code error;
  fs::copy_file(from, partial, error);
  if (!error) {
    const struct timespec times[2] = {status.st_atim, status.st_mtim};
    try {
      carry_access(from, partial);
    } catch (const Error&) {
      ::unlink(partial.c_str());
      throw;
    }
    ::utimensat(AT_FDCWD, partial.c_str(), times, 0);
    if (::rename(partial.c_str(), to.c_str()) == 0) return;
    error = {errno, std::generic_category()};
  }
  ::unlink(partial.c_str());
  throw_io("copying " + from + " to", to, error.value());
}

void copy(const std::string& from, const std::string& to) {
  const struct stat status = status_of(from);
  if (S_ISREG(status.st_mode)) return copy_content(from, to, status);
  std::error_code error;
  if (S_ISLNK(status.st_mode)) {
    fs::copy_symlink(from, to, error);
    if (error) throw_io("copying " + from + " to", to, error.value());
    return;
  }
  throw Error(ErrorKind::kIo, "copying " + from + ": it is no regular file",
              "move it out of the target");
}

}  // namespace

void carry_access(const std::string& from, const std::string& to) {
  const struct stat status = status_of(from);
  carry_owner(status, to);
  for (const std::string& name : attributes_of(from))
    carry_attribute(from, to, name);
  // The mode comes last. A change of owner takes away special rights, and an
  // ACL changes the mode.
  if (::chmod(to.c_str(), status.st_mode & 07777) != 0 && errno != EPERM &&
      errno != ENOSYS && errno != EOPNOTSUPP)
    throw_io("changing the mode of", to, errno);
}

void carry_file(const std::string& root_from, const std::string& root_to,
                const std::string& key) {
  const std::string from = root_from + "/" + key, to = root_to + "/" + key;
  // The run has written such a file, or a process that was killed has carried
  // it.
  if (exists(to)) return;
  make_folders(root_from, root_to, key);
  // A link takes no room. Disks without links get a copy.
  if (::link(from.c_str(), to.c_str()) == 0 || errno == EEXIST) return;
  copy(from, to);
}

}  // namespace rechunk

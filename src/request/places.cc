#include "request/places.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/byte_size.h"
#include "rechunk/error.h"
#include "store/file_url.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTempSuffix = ".rechunk-temp";
constexpr std::string_view kReplacementSuffix = ".rechunk-new";

fs::path local_path(const std::string& place) {
  std::error_code error;
  // Made absolute first. `weakly_canonical` leaves a path relative if no part
  // of it exists.
  const fs::path absolute = fs::absolute(file_path(place), error);
  fs::path path = fs::weakly_canonical(absolute, error);
  if (error) path = absolute.lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

fs::path existing_parent(fs::path path) {
  std::error_code error;
  while (!fs::exists(path, error) && path.has_relative_path())
    path = path.parent_path();
  return path;
}

// Tells a folder by any of its names. It has several through bind mounts, and
// on disks that ignore upper and lower case.
using Identity = std::pair<dev_t, ino_t>;

std::optional<Identity> identity(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino};
}

bool same_path(const fs::path& a, const fs::path& b) {
  const auto folder = identity(a);
  return a == b || (folder && folder == identity(b));
}

// True also if both are the same.
bool lies_within(fs::path inner, const fs::path& outer) {
  // By name first. Folders may have several names, so then by identity.
  const fs::path relative = inner.lexically_relative(outer);
  if (!relative.empty() && *relative.begin() != "..") return true;
  const auto folder = identity(outer);
  while (folder && identity(inner) != folder && inner.has_relative_path())
    inner = inner.parent_path();
  return folder && identity(inner) == folder;
}

void check_temp_apart(const fs::path& temp, const fs::path& place,
                      std::string_view whose) {
  if (!lies_within(temp, place)) return;
  throw Error(ErrorKind::kInvalidArgument,
              "putting temporary data into " + temp.string() +
                  ": it lies within the " + std::string(whose) + " " +
                  place.string(),
              "choose another " + option("temp"));
}

}  // namespace

// A run must not read what it writes, nor erase its source with a target.
void check_apart(const std::string& source, const std::string& target) {
  const fs::path from = local_path(source), to = local_path(target);
  if (same_path(from, to))
    throw Error(ErrorKind::kInvalidArgument,
                "source and target are the same place: " + from.string());
  if (lies_within(to, from) || lies_within(from, to))
    throw Error(ErrorKind::kInvalidArgument,
                "source and target lie within each other: " + from.string() +
                    " and " + to.string(),
                "choose a target beside the source");
}

void check_temp_apart(const std::string& temp, const std::string& source,
                      const std::string& target) {
  if (temp.empty()) return;
  if (!source.empty())
    check_temp_apart(local_path(temp), local_path(source), "source");
  if (!target.empty())
    check_temp_apart(local_path(temp), local_path(target), "target");
}

void check_zip_target(const std::string& target) {
  const fs::path path = local_path(target);
  std::error_code error;
  if (path.extension() != ".zip" || fs::exists(path, error)) return;
  throw Error(ErrorKind::kUnsupported,
              "writing " + target + ": no zip archives can be written yet",
              "choose another target, and pack it then: cd TARGET && zip -0 -r "
              "../" +
                  path.filename().string() + " .");
}

std::string temp_place(const std::string& temp, const std::string& target) {
  if (!temp.empty()) open_store(temp);  // Throws where there is no store.
  const fs::path path = local_path(target);
  const fs::path parent = temp.empty() ? path.parent_path() : local_path(temp);
  return (parent / ("." + path.filename().string() + std::string(kTempSuffix)))
      .string();
}

bool same_place(const std::string& a, const std::string& b) {
  return local_path(a) == local_path(b);
}

bool is_temp_place(const std::string& place) {
  const std::string name = local_path(place).filename().string();
  return name.starts_with('.') && name.ends_with(kTempSuffix);
}

std::string journal_place(const std::string& target) {
  return local_path(target).string() + ".rechunk";
}

std::string replacement_folder(const std::string& target) {
  const fs::path path = local_path(target);
  return (path.parent_path() /
          ("." + path.filename().string() + std::string(kReplacementSuffix)))
      .string();
}

std::string replacement_place(const std::string& target,
                              const std::string& number) {
  return replacement_folder(target) + "/" + number;
}

bool is_replacement_of(const std::string& place, const std::string& target) {
  const fs::path path(place);
  const std::string number = path.filename().string();
  return path.parent_path() == replacement_folder(target) && !number.empty() &&
         number.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string real_path(const std::string& place) {
  return local_path(place).string();
}

bool is_link(const std::string& place) {
  std::string path = file_path(place);
  // With a slash at the end, the system would follow the link.
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::error_code error;
  return fs::is_symlink(fs::symlink_status(path, error));
}

std::string absolute_place(const std::string& place) {
  if (place.empty()) return place;
  if (place.starts_with(kFileScheme)) return absolute_place(file_path(place));
  if (place.find("://") != std::string::npos) return place;
  return fs::absolute(place).string();
}

void sync_file_systems(const std::vector<std::string>& places) {
  std::set<dev_t> synced;
  for (const std::string& place : places) {
    if (place.empty()) continue;
    const fs::path path = existing_parent(local_path(place));
    const int folder = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    bool done = folder >= 0 && ::fstat(folder, &status) == 0;
    if (done && synced.insert(status.st_dev).second)
      done = ::syncfs(folder) == 0;
    const int code = errno;
    if (folder >= 0) ::close(folder);
    if (!done)
      throw Error(ErrorKind::kIo,
                  "syncing " + path.string() + ": " + std::strerror(code));
  }
}

std::shared_ptr<Store> open_own_store(const std::string& place) {
  if (is_link(place))
    throw Error(ErrorKind::kIo, "opening " + place + ": it is a symbolic link",
                "remove it: rechunk makes this folder itself");
  return open_store(place);
}

void check_free_space(const std::string& place, std::int64_t bytes,
                      const std::string& what, const std::string& hint) {
  const fs::path path = existing_parent(local_path(place));
  std::error_code error;
  const fs::space_info space = fs::space(path, error);
  // A disk that does not tell its space is no reason to refuse.
  if (error || static_cast<std::uintmax_t>(bytes) <= space.available) return;
  throw Error(ErrorKind::kIo,
              what + " needs " + format_byte_size(bytes) + " at " +
                  path.string() + ", where " +
                  format_byte_size(static_cast<std::int64_t>(space.available)) +
                  " are free",
              hint);
}

}  // namespace rechunk

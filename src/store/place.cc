#include "store/place.h"

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "rechunk/error.h"
#include "store/file_url.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSchemeMark = "://";

fs::path local_path(const std::string& place) {
  std::error_code error;
  // Made absolute first. `weakly_canonical` leaves a path relative if no part
  // of it exists.
  const fs::path absolute = fs::absolute(file_path(place), error);
  fs::path path = fs::weakly_canonical(absolute, error);
  if (error) path = absolute.lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

// Tells a folder by any of its names. It has several through bind mounts, and
// on disks that ignore upper and lower case.
using Identity = std::pair<dev_t, ino_t>;

std::optional<Identity> identity(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino};
}

bool path_lies_within(fs::path inner, const fs::path& outer) {
  // By name first. Folders may have several names, so then by identity.
  const fs::path relative = inner.lexically_relative(outer);
  if (!relative.empty() && *relative.begin() != "..") return true;
  const auto folder = identity(outer);
  while (folder && identity(inner) != folder && inner.has_relative_path())
    inner = inner.parent_path();
  return folder && identity(inner) == folder;
}

}  // namespace

bool is_local(const std::string& place) {
  return place.starts_with(kFileScheme) ||
         place.find(kSchemeMark) == std::string::npos;
}

std::string real_place(const std::string& place) {
  if (is_local(place)) return local_path(place).string();
  std::string url = place;
  const std::size_t begin = url.find(kSchemeMark) + kSchemeMark.size();
  while (url.size() > begin && url.ends_with('/')) url.pop_back();
  return url;
}

std::string absolute_place(const std::string& place) {
  if (place.empty() || !is_local(place)) return place;
  return fs::absolute(file_path(place)).string();
}

std::string name_of_place(const std::string& place) {
  const std::string real = real_place(place);
  return real.substr(real.rfind('/') + 1);
}

std::string place_around(const std::string& place) {
  const std::string real = real_place(place);
  if (is_local(place)) return fs::path(real).parent_path().string();
  const std::size_t first = real.find(kSchemeMark) + kSchemeMark.size();
  const std::size_t last = real.rfind('/');
  if (last < first)
    throw Error(ErrorKind::kInvalidArgument,
                "using " + place + ": nothing can lie beside a whole bucket",
                "name a place within it: " + real + "/NAME");
  return real.substr(0, last);
}

std::string beside(const std::string& place, const std::string& name) {
  const std::string around = place_around(place);
  return around + (around.ends_with('/') ? "" : "/") + name;
}

bool same_place(const std::string& a, const std::string& b) {
  if (is_local(a) != is_local(b)) return false;
  const std::string one = real_place(a), other = real_place(b);
  if (one == other) return true;
  const auto folder = is_local(a) ? identity(one) : std::nullopt;
  return folder && folder == identity(other);
}

bool lies_within(const std::string& inner, const std::string& outer) {
  if (is_local(inner) != is_local(outer)) return false;
  const std::string in = real_place(inner), out = real_place(outer);
  if (is_local(inner)) return path_lies_within(in, out);
  return in == out || in.starts_with(out + "/");
}

bool is_link(const std::string& place) {
  if (!is_local(place)) return false;
  std::string path = file_path(place);
  // With a slash at the end, the system would follow the link.
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::error_code error;
  return fs::is_symlink(fs::symlink_status(path, error));
}

}  // namespace rechunk

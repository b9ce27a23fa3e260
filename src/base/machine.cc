#include "base/machine.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace rechunk {
namespace {

// The number in a file of the kernel; `otherwise` for "max" or no file.
std::int64_t number_in(const std::string& path, std::int64_t otherwise) {
  std::ifstream file(path);
  std::int64_t number = 0;
  return file >> number && number > 0 ? number : otherwise;
}

// The smallest limit of a group and of all groups around it, up to the mount
// point.
std::int64_t least_limit(std::string group_path, std::size_t mount_length,
                         const char* file, std::int64_t otherwise) {
  std::int64_t least = otherwise;
  for (;;) {
    least = std::min(least,
                     number_in(fmt::format("{}/{}", group_path, file), least));
    if (group_path.size() <= mount_length) return least;
    group_path.erase(group_path.rfind('/'));
  }
}

// Lines are "ID:CONTROLLERS:GROUP", without controllers in version 2.
std::int64_t cgroup_limit(std::int64_t otherwise) {
  std::int64_t least = otherwise;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos || line[second + 1] != '/') continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "memory") continue;
    std::string path =
        controllers.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const std::size_t mount_length = path.size();
    if (line.size() > second + 2) path += line.substr(second + 1);
    least = least_limit(
        path, mount_length,
        controllers.empty() ? "memory.max" : "memory.limit_in_bytes", least);
  }
  return least;
}

}  // namespace

int available_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

std::int64_t max_rss() {
  // Not getrusage: its peak includes the process that started this one.
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (std::int64_t kilobytes = 0; word == "VmHWM:" && status >> kilobytes)
      return kilobytes * 1024;
  return 0;
}

std::int64_t memory_limit() {
  const std::int64_t machine =
      static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) *
      sysconf(_SC_PAGE_SIZE);
  return cgroup_limit(machine);
}

}  // namespace rechunk

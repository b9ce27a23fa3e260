#include "job/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "rechunk/rechunk.h"

namespace rechunk {
namespace {

// The number in a file of the kernel; `otherwise` for "max" or no file.
std::int64_t number_in(const char* path, std::int64_t otherwise) {
  std::ifstream file(path);
  std::int64_t number = 0;
  return file >> number && number > 0 ? number : otherwise;
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

std::int64_t default_max_memory() {
  const std::int64_t machine =
      static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) *
      sysconf(_SC_PAGE_SIZE);
  const std::int64_t cgroup = std::min(
      number_in("/sys/fs/cgroup/memory.max", machine),
      number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", machine));
  return std::min(machine, cgroup) / 2;
}

}  // namespace rechunk

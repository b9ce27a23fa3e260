#include "measure/disk_probe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <vector>

#include "measure/stopwatch.h"
#include "store/file_url.h"
#include "store/place.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

// For all threads together: so much that they also write to pages that were not
// used a moment ago.
constexpr std::int64_t kProbeBytes = 128 << 20;
// The buffer of one thread: more than its own cache holds, as a run's blocks.
constexpr std::int64_t kMostAtOnce = 8 << 20;

// Calls `transfer(offset)` until so many bytes are done; the time per byte.
template <class Transfer>
std::optional<double> time_per_byte(std::int64_t bytes, std::int64_t step,
                                    Transfer&& transfer) {
  const Stopwatch watch;
  std::int64_t done = 0;
  for (; done < bytes; done += step)
    if (transfer(static_cast<off_t>(done)) != static_cast<ssize_t>(step))
      return std::nullopt;
  return watch.nanoseconds() / static_cast<double>(done);
}

std::optional<DiskCosts> probe(const fs::path& folder, std::int64_t bytes,
                               std::int64_t step, MemoryBudget& budget) {
  Arena arena = budget.acquire(step);
  const auto buffer = arena.take(step);
  std::memset(buffer.data(), 0x5a, buffer.size());
  // The kernel forgets it when it is closed: nothing to clean up.
  const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return std::nullopt;
  const auto write_ns = time_per_byte(bytes, step, [&](off_t offset) {
    return ::pwrite(file, buffer.data(), buffer.size(), offset);
  });
  const auto read_ns = time_per_byte(bytes, step, [&](off_t offset) {
    return ::pread(file, buffer.data(), buffer.size(), offset);
  });
  ::close(file);
  if (!write_ns || !read_ns) return std::nullopt;
  return DiskCosts{*write_ns, *read_ns};
}

}  // namespace

std::optional<DiskCosts> probe_disk(const std::string& place, int threads,
                                    MemoryBudget& budget) {
  if (place.empty() || !is_local(place)) return std::nullopt;
  const fs::path folder = existing_folder(place);
  // Rounded down: arenas hand out memory in units of their alignment.
  const std::int64_t step =
      std::clamp(budget.limit() / threads / MemoryBudget::kAlignment,
                 std::int64_t{1}, kMostAtOnce / MemoryBudget::kAlignment) *
      MemoryBudget::kAlignment;
  const std::int64_t bytes = std::max(step, kProbeBytes / threads);
  std::vector<std::future<std::optional<DiskCosts>>> probes;
  for (int thread = 0; thread < threads; ++thread)
    probes.push_back(std::async(std::launch::async, probe, folder, bytes, step,
                                std::ref(budget)));
  double write_speed = 0, read_speed = 0;
  for (auto& each : probes) {
    const auto costs = each.get();
    if (!costs) return std::nullopt;
    write_speed += 1 / costs->write_ns;
    read_speed += 1 / costs->read_ns;
  }
  return DiskCosts{threads / write_speed, threads / read_speed};
}

fs::path existing_folder(const std::string& place) {
  std::error_code ignored;
  fs::path folder = fs::absolute(file_path(place), ignored);
  while (!folder.empty() && !fs::is_directory(folder, ignored) &&
         folder != folder.root_path())
    folder = folder.parent_path();
  return folder;
}

bool on_same_disk(const std::string& one, const std::string& other) {
  const auto device = [](const std::string& place) -> std::optional<dev_t> {
    struct stat status {};
    if (place.empty() || !is_local(place) ||
        ::stat(existing_folder(place).c_str(), &status) != 0)
      return std::nullopt;
    return status.st_dev;
  };
  const auto first = device(one);
  return first && first == device(other);
}

}  // namespace rechunk

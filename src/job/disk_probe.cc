#include "job/disk_probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

namespace rechunk {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Enough to meet pages that were not used a moment ago.
constexpr std::size_t kProbeBytes = 64 << 20;

fs::path existing_folder(const std::string& place) {
  std::error_code ignored;
  fs::path folder = fs::absolute(place, ignored);
  while (!folder.empty() && !fs::is_directory(folder, ignored) &&
         folder != folder.root_path())
    folder = folder.parent_path();
  return folder;
}

double nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

// Calls `transfer(offset)` until the file is full; the time per byte.
template <class Transfer>
std::optional<double> time_per_byte(std::size_t step, Transfer&& transfer) {
  const auto start = Clock::now();
  std::size_t done = 0;
  for (; done < kProbeBytes; done += step)
    if (transfer(static_cast<off_t>(done)) != static_cast<ssize_t>(step))
      return std::nullopt;
  return nanoseconds_since(start) / static_cast<double>(done);
}

}  // namespace

std::optional<DiskCosts> probe_disk(const std::string& place,
                                    std::span<std::byte> sample) {
  if (place.empty() || place.find("://") != std::string::npos || sample.empty())
    return std::nullopt;
  // The kernel forgets it when it is closed: nothing to clean up.
  const int file = ::open(existing_folder(place).c_str(),
                          O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return std::nullopt;
  const auto write_ns = time_per_byte(sample.size(), [&](off_t offset) {
    return ::pwrite(file, sample.data(), sample.size(), offset);
  });
  const auto read_ns = time_per_byte(sample.size(), [&](off_t offset) {
    return ::pread(file, sample.data(), sample.size(), offset);
  });
  ::close(file);
  if (!write_ns || !read_ns) return std::nullopt;
  return DiskCosts{*write_ns, *read_ns};
}

}  // namespace rechunk

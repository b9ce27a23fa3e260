// The part of disk_probe.h that goes past the page cache.
#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <thread>
#include <vector>

#include "measure/disk_probe.h"
#include "measure/stopwatch.h"
#include "store/file.h"
#include "store/file_url.h"
#include "store/place.h"

namespace rechunk {
namespace {

constexpr double kMostNanoseconds = 2e9;
constexpr std::int64_t kMostBytes = 1 << 30;
constexpr std::int64_t kMostPerTransfer = 4 << 20;
// Direct transfers begin at multiples of this, in memory and on the disk.
constexpr std::int64_t kPage = 4096;
// Of the room that is left, a probe takes this part.
constexpr std::int64_t kPartOfRoom = 8;

/// A file that is written at its end and read from its start, over and over.
struct Probe {
  int file = -1;
  std::int64_t step = 0;
  std::int64_t most_bytes = 0;
  std::atomic<std::int64_t> written = 0;
  std::atomic<bool> done = false;
  Stopwatch watch;
};

// Memory of the arena for one transfer. It has room for one more page.
std::byte* buffer_in(Arena& arena, std::int64_t step) {
  void* memory = arena.take(step + kPage).data();
  auto room = static_cast<std::size_t>(step + kPage);
  std::align(kPage, static_cast<std::size_t>(step), memory, room);
  std::memset(memory, 0x5a, static_cast<std::size_t>(step));
  return static_cast<std::byte*>(memory);
}

// The time per byte in the second half of the time. `ends`: of the transfers.
std::optional<double> steady_ns(const std::vector<double>& ends,
                                std::int64_t step) {
  if (ends.size() < 2) return std::nullopt;
  const auto half =
      std::lower_bound(ends.begin(), ends.end() - 2, ends.back() / 2);
  return (ends.back() - *half) /
         static_cast<double>((ends.end() - 1 - half) * step);
}

std::optional<double> write_on(Probe& probe, std::byte* buffer) {
  std::vector<double> ends;
  while (probe.watch.nanoseconds() < kMostNanoseconds &&
         probe.written < probe.most_bytes &&
         ::pwrite(probe.file, buffer, static_cast<std::size_t>(probe.step),
                  probe.written) == probe.step) {
    probe.written += probe.step;
    ends.push_back(probe.watch.nanoseconds());
  }
  probe.done = true;
  return steady_ns(ends, probe.step);
}

std::optional<double> read_on(Probe& probe, std::byte* buffer) {
  std::vector<double> ends;
  for (std::int64_t at = 0; !probe.done;) {
    if (probe.written == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    if (at == probe.written) at = 0;
    if (::pread(probe.file, buffer, static_cast<std::size_t>(probe.step), at) !=
        probe.step)
      break;
    at += probe.step;
    ends.push_back(probe.watch.nanoseconds());
  }
  return steady_ns(ends, probe.step);
}

}  // namespace

std::optional<DiskCosts> probe_past_cache(const std::string& place,
                                          MemoryBudget& budget) {
  if (place.empty() || !is_local(place)) return std::nullopt;
  Probe probe;
  probe.step = std::min(kMostPerTransfer,
                        (budget.limit() / 2 - 2 * kPage) / kPage * kPage);
  if (probe.step < kPage) return std::nullopt;
  // The kernel forgets it when it is closed: nothing to clean up.
  const File file(::open(existing_folder(place).c_str(),
                         O_TMPFILE | O_RDWR | O_CLOEXEC | O_DIRECT, 0600));
  struct statvfs room {};
  if (file.get() < 0 || ::fstatvfs(file.get(), &room) != 0) return std::nullopt;
  probe.file = file.get();
  probe.most_bytes = std::min(
      kMostBytes,
      static_cast<std::int64_t>(room.f_bavail * room.f_frsize) / kPartOfRoom);
  Arena arena = budget.acquire(2 * (probe.step + 2 * kPage));
  std::byte* const read_buffer = buffer_in(arena, probe.step);
  std::byte* const write_buffer = buffer_in(arena, probe.step);
  auto reading =
      std::async(std::launch::async, read_on, std::ref(probe), read_buffer);
  const auto write_ns = write_on(probe, write_buffer);
  const auto read_ns = reading.get();
  if (!write_ns || !read_ns) return std::nullopt;
  return DiskCosts{*write_ns, *read_ns};
}

}  // namespace rechunk

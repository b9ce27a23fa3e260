// What it costs to write to a disk, and to read what was just written.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace rechunk {

/// Nanoseconds per byte, of one thread; through the page cache.
struct DiskCosts {
  double write_ns = 0;
  double read_ns = 0;
};

/// Writes `sample` some times to a file without a name, in the folder that will
/// hold `place`. Nothing where that is no local path, or cannot be written.
std::optional<DiskCosts> probe_disk(const std::string& place,
                                    std::span<std::byte> sample);

}  // namespace rechunk

// Measures the cost of writing to a disk, and of reading what was just written.
#pragma once

#include <optional>
#include <string>

#include "base/memory_budget.h"

namespace rechunk {

/// Nanoseconds per byte of one thread, while other threads do the same; through
/// the page cache.
struct DiskCosts {
  double write_ns = 0;
  double read_ns = 0;
};

/// Writes and reads files without names, one per thread, in the folder that
/// will hold `place`, with memory of the budget. Nothing if the place is not a
/// local path, or cannot be written.
std::optional<DiskCosts> probe_disk(const std::string& place, int threads,
                                    MemoryBudget& budget);

/// True if what two places hold lies, or will lie, on the same local disk.
bool on_same_disk(const std::string& one, const std::string& other);

}  // namespace rechunk

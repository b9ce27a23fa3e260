// Measures what a disk costs where a job will write.
// Part: past_cache.cc.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/memory_budget.h"

namespace rechunk {

/// Nanoseconds per byte.
struct DiskCosts {
  double write_ns = 0;
  double read_ns = 0;
};

/// Writes and reads what was just written, through the page cache, in files
/// without names, one per thread, in the folder that will hold `place`, with
/// memory of the budget. The costs are those of one thread, while the others do
/// the same. Nothing if the place is not a local path, or cannot be written.
std::optional<DiskCosts> probe_disk(const std::string& place, int threads,
                                    MemoryBudget& budget);

/// Writes and reads past the page cache, both at the same time, as a run does
/// that the cache cannot hold. Disks are quicker at first, so it goes on for
/// two seconds or a gibibyte, and the second half of the time counts. The costs
/// are those of the disk, in wall-clock time. Nothing if there is no such disk.
std::optional<DiskCosts> probe_past_cache(const std::string& place,
                                          MemoryBudget& budget);

/// The folder that will hold a local place: it, or what exists around it.
std::filesystem::path existing_folder(const std::string& place);

/// True if what two places hold lies, or will lie, on the same local disk.
bool on_same_disk(const std::string& one, const std::string& other);

}  // namespace rechunk

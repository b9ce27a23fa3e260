// The machine's memory and processors, and this process's use of them. Linux.
#pragma once

#include <cstdint>

namespace rechunk {

/// Processors that this process may run on, at least 1.
int available_threads();

/// Bytes of the machine's memory, or of this process's cgroup if that is less.
std::int64_t memory_limit();

/// Largest resident size of this process so far, in bytes.
std::int64_t max_rss();

}  // namespace rechunk

// Requests in flight: what they cost in memory and save in time.
#include <algorithm>

#include "plan/planner.h"

namespace rechunk {
namespace {

int window_of(const MediumTraits& medium, int window) {
  return std::min(window, medium.requests);
}

void share_latency(MediumTraits& medium, int window) {
  medium.latency_ns /= window_of(medium, window);
}

void add_buffers(ChunkTraits& side, int window) {
  const int requests = window_of(side.medium, window);
  if (requests == 1 || side.request_bytes == 0) return;
  side.window = requests;
  // Chunks come whole then, into buffers.
  side.in_parts = false;
  side.spare_bytes = 0;
  share_latency(side.medium, window);
}

}  // namespace

ArrayProblem with_window(ArrayProblem array, int window) {
  add_buffers(array.source, window);
  add_buffers(array.target, window);
  array.temp_window = window_of(array.temp, window);
  share_latency(array.temp, window);
  return array;
}

}  // namespace rechunk

// The C library's heap while tasks run.
//
// Workers of Dask have MALLOC_TRIM_THRESHOLD_ set. glibc then gives every large
// buffer back to the system when it is freed, and codecs free their scratch
// after each chunk: most of the time of a run goes into pages that are touched
// for the first time, over and over.
#include <malloc.h>

#include <cstdlib>

#include "bindings.h"

namespace rechunk::python {
namespace {

#ifdef __GLIBC__
// Codecs take less scratch than this, except at their highest levels. These
// work so long that new pages hardly count.
constexpr int kKeptBytes = 4 << 20;
// glibc's own rule, if nothing is set: twice the size from which it maps
// memory.
constexpr int kTrimBytes = 2 * kKeptBytes;
constexpr int kUsualMmapBytes = 128 << 10;

// If true, freed buffers stay for the next chunk. They are a part of the memory
// that a task has reserved. If false, the heap is as the environment asks for,
// and free memory goes back to the system.
void keep_heap(bool keep) {
  const char* trim_bytes = std::getenv("MALLOC_TRIM_THRESHOLD_");
  // Without the first, glibc adapts by itself. The second is the user's wish.
  if (!trim_bytes || std::getenv("MALLOC_MMAP_THRESHOLD_")) return;
  mallopt(M_MMAP_THRESHOLD, keep ? kKeptBytes : kUsualMmapBytes);
  mallopt(M_TRIM_THRESHOLD, keep ? kTrimBytes : std::atoi(trim_bytes));
  if (!keep) malloc_trim(0);
}
#else
void keep_heap(bool) {}
#endif

}  // namespace

void register_heap(nb::module_& module) {
  module.def("keep_heap", &keep_heap, nb::arg("keep"),
             nb::call_guard<nb::gil_scoped_release>(),
             "Whether freed memory stays for the next chunk.");
}

}  // namespace rechunk::python

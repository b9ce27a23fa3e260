// Planning time and memory, up to a billion chunks. Memory is the largest sum
// of live allocations while a plan is made, and what the plan keeps.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include "rechunk/rechunk.h"

namespace {

std::atomic<std::int64_t> live_bytes = 0, peak_bytes = 0;

void* allocate(std::size_t size) {
  void* memory = std::malloc(size);
  if (!memory) throw std::bad_alloc();
  const auto bytes = static_cast<std::int64_t>(malloc_usable_size(memory));
  const std::int64_t now = live_bytes += bytes;
  for (std::int64_t peak = peak_bytes;
       now > peak && !peak_bytes.compare_exchange_weak(peak, now);) {
  }
  return memory;
}

void release(void* memory) {
  live_bytes -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }

namespace {

using rechunk::Shape;

struct Case {
  const char* label;
  Shape shape, source;
  const char* target;
  std::int64_t max_memory;
};

const Case kCases[] = {
    {"series", {2000, 361, 720}, {10, 361, 720}, "2000,19,20", 256000000},
    {"era5", {350640, 721, 1440}, {31, 721, 1440}, "350640,10,10", 2L << 30},
    {"mur", {6443, 17999, 36000}, {5, 1799, 3600}, "6443,100,100", 8L << 30},
    {"llc4320",
     {9030, 90, 13, 4320, 4320},
     {1, 1, 1, 4320, 4320},
     "240,1,1,180,180",
     4L << 30},
    {"chunks_1e6",
     {100000, 1000, 1000},
     {10, 100, 100},
     "1000,70,30",
     1L << 30},
    {"chunks_1e9",
     {1000000, 10000, 10000},
     {10, 100, 100},
     "1000,70,30",
     1L << 30},
    {"coprime_1e9", {999983, 9973, 9967}, {11, 97, 101}, "997,71,31", 1L << 30},
};

void plan(benchmark::State& state) {
  const Case& chosen = kCases[state.range(0)];
  state.SetLabel(chosen.label);
  rechunk::Options options;
  options.chunks = chosen.target;
  options.max_memory = chosen.max_memory;
  options.threads = 2;
  const rechunk::PaperArray array{chosen.shape, "<f4", chosen.source, {}};
  std::int64_t most = 0;
  for (auto _ : state) {
    const std::int64_t before = live_bytes;
    peak_bytes = before;
    const rechunk::Plan made = rechunk::plan_on_paper(array, options);
    most = std::max<std::int64_t>(most, peak_bytes - before);
  }
  state.counters["peak_bytes"] = static_cast<double>(most);
}
BENCHMARK(plan)
    ->ArgName("case")
    ->DenseRange(0, std::size(kCases) - 1)
    ->Unit(benchmark::kMillisecond);

}  // namespace

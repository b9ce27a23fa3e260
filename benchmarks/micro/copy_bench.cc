// The copy kernel against memcpy. Buffers are far larger than the caches, but
// short runs touch so little of them that they come from the caches, as they do
// after a chunk was decoded.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "base/strided_copy.h"

namespace {

using rechunk::Shape;

constexpr std::int64_t kBytes = std::int64_t{64} << 20;

/// A pair of buffers whose pages exist.
struct Buffers {
  std::vector<std::byte> source{static_cast<std::size_t>(kBytes), std::byte{1}};
  std::vector<std::byte> target{static_cast<std::size_t>(kBytes), std::byte{2}};
};

void count_bytes(benchmark::State& state, std::int64_t bytes_per_iteration) {
  state.SetBytesProcessed(state.iterations() * bytes_per_iteration);
}

void memcpy_large(benchmark::State& state) {
  Buffers buffers;
  for (auto _ : state) {
    std::memcpy(buffers.target.data(), buffers.source.data(),
                buffers.source.size());
    benchmark::ClobberMemory();
  }
  count_bytes(state, kBytes);
}
BENCHMARK(memcpy_large)->ThreadRange(1, 2)->UseRealTime();

// Rows of a target chunk out of the wide rows of a source chunk: short runs,
// a page or more apart, become contiguous.
void gather_runs(benchmark::State& state) {
  const std::int64_t item_bytes = state.range(0), run_bytes = state.range(1);
  const std::int64_t pitch = std::max<std::int64_t>(4096 + 192, 4 * run_bytes);
  const Shape extent{kBytes / pitch, run_bytes / item_bytes};
  Buffers buffers;
  for (auto _ : state) {
    rechunk::strided_copy(extent, item_bytes, buffers.target.data(),
                          {run_bytes, item_bytes}, buffers.source.data(),
                          {pitch, item_bytes});
    benchmark::ClobberMemory();
  }
  count_bytes(state, extent[0] * run_bytes);
}
BENCHMARK(gather_runs)
    ->ArgNames({"item", "run"})
    ->ArgsProduct({{4}, {16, 64, 80, 256, 1024, 16384}})
    ->Args({2, 64})
    ->Args({8, 64})
    ->ThreadRange(1, 2)
    ->UseRealTime();

void transpose(benchmark::State& state) {
  const std::int64_t item_bytes = state.range(0), rows = 2048;
  const std::int64_t columns = kBytes / rows / item_bytes;
  Buffers buffers;
  for (auto _ : state) {
    rechunk::strided_copy({rows, columns}, item_bytes, buffers.target.data(),
                          {item_bytes, rows * item_bytes},
                          buffers.source.data(),
                          {columns * item_bytes, item_bytes});
    benchmark::ClobberMemory();
  }
  count_bytes(state, kBytes);
}
BENCHMARK(transpose)
    ->ArgName("item")
    ->Arg(1)
    ->Arg(2)
    ->Arg(4)
    ->Arg(8)
    ->Arg(16)
    ->ThreadRange(1, 2)
    ->UseRealTime();

// Four dimensions, none of which keeps its place.
void permute(benchmark::State& state) {
  const std::int64_t item_bytes = state.range(0);
  const Shape extent{16, 64, 32, kBytes / 16 / 64 / 32 / item_bytes};
  const Shape source =
      rechunk::contiguous_strides(extent, {0, 1, 2, 3}, item_bytes);
  const Shape target =
      rechunk::contiguous_strides(extent, {2, 0, 3, 1}, item_bytes);
  Buffers buffers;
  for (auto _ : state) {
    rechunk::strided_copy(extent, item_bytes, buffers.target.data(), target,
                          buffers.source.data(), source);
    benchmark::ClobberMemory();
  }
  count_bytes(state, kBytes);
}
BENCHMARK(permute)
    ->ArgName("item")
    ->Arg(1)
    ->Arg(2)
    ->Arg(4)
    ->Arg(8)
    ->Arg(16)
    ->UseRealTime();

}  // namespace

// The digest of elements, by the width of their scalars, along rows and across
// them, and in boxes whose rows are short, as target chunks are.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/digest.h"
#include "base/strided_copy.h"

namespace {

using rechunk::Shape;

// Boxes of 16 MiB in an array that is larger in each dimension.
void digest(benchmark::State& state, std::int64_t row,
            const std::vector<int>& axis_order, bool reversed = false) {
  const std::int64_t bytes = state.range(0);
  const Shape extent{64, (std::int64_t{16} << 20) / 64 / row / bytes, row};
  const Shape shape{640, extent[1] + 9, 4096};
  const auto strides = rechunk::contiguous_strides(extent, axis_order, bytes);
  const std::vector<std::byte> data(
      static_cast<std::size_t>(rechunk::element_count(extent) * bytes),
      std::byte{7});
  for (auto _ : state)
    benchmark::DoNotOptimize(rechunk::digest_box({{bytes, reversed}}, shape,
                                                 {64, 0, 128}, extent,
                                                 data.data(), strides));
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(data.size()));
}

void widths(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("scalar")->Arg(1)->Arg(2)->Arg(4)->Arg(8);
}

BENCHMARK_CAPTURE(digest, rows of 1024, 1024, {0, 1, 2})->Apply(widths);
BENCHMARK_CAPTURE(digest, rows of 20, 20, {0, 1, 2})->Apply(widths);
BENCHMARK_CAPTURE(digest, rows of 3, 3, {0, 1, 2})->ArgName("scalar")->Arg(4);
BENCHMARK_CAPTURE(digest, columns of 64, 512, {2, 1, 0})->Apply(widths);
BENCHMARK_CAPTURE(digest, swapped rows, 512, {0, 1, 2}, true)->Apply(widths);

}  // namespace

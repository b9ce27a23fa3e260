// The digest of elements, by the width of their scalars, along rows and across
// them.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/digest.h"
#include "base/strided_copy.h"

namespace {

void digest(benchmark::State& state, const std::vector<int>& axis_order) {
  const std::int64_t bytes = state.range(0);
  const rechunk::Shape extent{64, 512,
                              (std::int64_t{16} << 20) / 32768 / bytes};
  const rechunk::Shape shape{640, 512, 4096};
  const auto strides = rechunk::contiguous_strides(extent, axis_order, bytes);
  const std::vector<std::byte> data(std::size_t{16} << 20, std::byte{7});
  for (auto _ : state)
    benchmark::DoNotOptimize(rechunk::digest_box(
        {{bytes, false}}, shape, {64, 0, 128}, extent, data.data(), strides));
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(data.size()));
}

BENCHMARK_CAPTURE(digest, rows, {0, 1, 2})
    ->ArgName("scalar")
    ->Arg(1)
    ->Arg(2)
    ->Arg(4)
    ->Arg(8);
BENCHMARK_CAPTURE(digest, columns, {2, 1, 0})->ArgName("scalar")->Arg(4);

}  // namespace

// Every codec on the kind of data that the workloads have: a smooth field plus
// noise, rounded. Rates count decoded bytes.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "codec/codec.h"

namespace {

using rechunk::CodecChain;
using rechunk::CodecSpec;

constexpr std::size_t kElements = 1 << 18;
constexpr std::int64_t kBytes = kElements * sizeof(float);

std::vector<std::byte> field() {
  std::mt19937 random(20260);
  std::normal_distribution<float> noise(0, 0.2F);
  std::vector<float> values(kElements);
  for (std::size_t i = 0; i < kElements; ++i) {
    const auto x = static_cast<float>(i);
    const float smooth = 280 + 15 * std::sin(x / 400) * std::cos(x / 90000);
    values[i] = std::round((smooth + noise(random)) * 64) / 64;
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(kBytes));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// A codec with the buffers that a call needs, all of them touched.
struct Bench {
  CodecChain chain;
  std::vector<std::byte> decoded = field();
  std::vector<std::byte> encoded, buffer;

  explicit Bench(const CodecSpec& spec)
      : chain(rechunk::make_codec_chain({spec}, sizeof(float))),
        encoded(static_cast<std::size_t>(chain.max_encoded_bytes(kBytes))),
        buffer(static_cast<std::size_t>(chain.buffer_bytes(kBytes))) {}
};

void encode(benchmark::State& state, const CodecSpec& spec) {
  Bench bench(spec);
  std::int64_t bytes = 0;
  for (auto _ : state)
    bytes = bench.chain.encode(bench.decoded, bench.encoded, bench.buffer);
  state.SetBytesProcessed(state.iterations() * kBytes);
  state.counters["ratio"] =
      static_cast<double>(kBytes) / static_cast<double>(bytes);
}

void decode(benchmark::State& state, const CodecSpec& spec) {
  Bench bench(spec);
  const std::int64_t bytes =
      bench.chain.encode(bench.decoded, bench.encoded, bench.buffer);
  const auto encoded =
      std::span(bench.encoded).first(static_cast<std::size_t>(bytes));
  for (auto _ : state) bench.chain.decode(encoded, bench.decoded, bench.buffer);
  state.SetBytesProcessed(state.iterations() * kBytes);
}

const struct {
  const char* label;
  const char* name;
  const char* configuration;
} kCodecs[] = {
    {"blosc_lz4_5_shuffle", "blosc",
     R"({"cname":"lz4","clevel":5,"shuffle":"shuffle","blocksize":0})"},
    {"blosc_zstd_3_bitshuffle", "blosc",
     R"({"cname":"zstd","clevel":3,"shuffle":"bitshuffle","blocksize":0})"},
    {"zstd_3", "zstd", R"({"level":3,"checksum":false})"},
    {"zstd_1", "zstd", R"({"level":1,"checksum":false})"},
    {"gzip_6", "gzip", R"({"level":6})"},
    {"lz4_1", "numcodecs.lz4", R"({"acceleration":1})"},
    {"crc32c", "crc32c", "{}"},
};

const bool kRegistered = [] {
  for (const auto& codec : kCodecs) {
    const CodecSpec spec{codec.name, codec.configuration};
    const std::string label = codec.label;
    benchmark::RegisterBenchmark(
        ("encode/" + label).c_str(),
        [spec](benchmark::State& state) { encode(state, spec); });
    benchmark::RegisterBenchmark(
        ("decode/" + label).c_str(),
        [spec](benchmark::State& state) { decode(state, spec); });
  }
  return true;
}();

}  // namespace

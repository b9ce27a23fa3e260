#include "request/codec_costs.h"

#include <cmath>

#include "codec/configuration.h"
#include "zarr/documents/codec_spec.h"
#include "zarr/documents/layout.h"

namespace rechunk {
namespace {

constexpr IntegerRange kAnyLevel{INT32_MIN, INT32_MAX};

double level_of(const CodecSpec& codec, const char* key, int fallback) {
  return static_cast<double>(
      Configuration(codec).integer(key, fallback, kAnyLevel));
}

CodecCosts blosc_costs(const CodecSpec& codec) {
  const std::string compressor = Configuration(codec).text("cname", "lz4");
  const double level = level_of(codec, "clevel", 5);
  if (compressor == "lz4") return {0.25, 0.5, 0.33};
  if (compressor == "blosclz") return {0.4, 0.9, 0.33};
  if (compressor == "lz4hc") return {0.4, 3 + level, 0.3};
  if (compressor == "zstd") return {0.7, 0.9 * std::pow(1.45, level), 0.27};
  return {1.9, 5 * std::pow(1.25, level), 0.27};  // zlib
}

CodecCosts costs_of(const CodecSpec& codec) {
  if (codec.name == "blosc") return blosc_costs(codec);
  if (codec.name == "zstd")
    return {1.0, 1.8 * std::pow(1.25, level_of(codec, "level", 0)), 0.36};
  if (codec.name == "gzip" || codec.name == "numcodecs.zlib")
    return {1.4, 2.8 * std::pow(1.42, level_of(codec, "level", 1)), 0.35};
  if (codec.name == "numcodecs.lz4") return {0.3, 1.9, 0.5};
  if (codec.name == "crc32c") return {0.1, 0.1, 1};
  return {};
}

CodecCosts sum_of(const std::vector<CodecSpec>& codecs, std::size_t rank) {
  CodecCosts sum;
  for (const CodecSpec& codec : codecs) {
    const CodecCosts costs =
        codec.name == "sharding_indexed"
            ? sum_of(parse_sharding(codec, rank).codecs, rank)
            : costs_of(codec);
    // Codecs behind the first get what it left over.
    sum.decode_ns += sum.stored_ratio * costs.decode_ns;
    sum.encode_ns += sum.stored_ratio * costs.encode_ns;
    sum.stored_ratio *= costs.stored_ratio;
  }
  return sum;
}

}  // namespace

CodecCosts codec_costs(const ArrayMetadata& array) {
  // Numbers of codecs that cannot be made mean nothing.
  if (!is_decodable(array)) return {};
  return sum_of(array.codecs, array.shape.size());
}

}  // namespace rechunk

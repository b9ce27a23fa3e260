#include "request/codec_costs.h"

#include "zarr/documents/codec_spec.h"
#include "zarr/documents/layout.h"

namespace rechunk {
namespace {

CodecCosts sum_of(const std::vector<CodecSpec>& codecs, std::size_t rank) {
  CodecCosts sum;
  for (const CodecSpec& codec : codecs) {
    const CodecCosts costs =
        codec.name == "sharding_indexed"
            ? sum_of(parse_sharding(codec, rank).codecs, rank)
            : costs_of(codec);
    // Each codec gets only the bytes that the codec before it has left.
    sum.decode_ns += sum.stored_ratio * costs.decode_ns;
    sum.encode_ns += sum.stored_ratio * costs.encode_ns;
    sum.stored_ratio *= costs.stored_ratio;
  }
  return sum;
}

}  // namespace

CodecCosts codec_costs(const ArrayMetadata& array) {
  // If a codec is not known, a sum over the others means nothing.
  if (!is_decodable(array)) return {};
  return sum_of(array.codecs, array.shape.size());
}

}  // namespace rechunk

#include "request/array_problem.h"

#include <algorithm>

#include "rechunk/error.h"
#include "request/codec_costs.h"
#include "zarr/chunks/array_reader.h"
#include "zarr/chunks/array_source_reader.h"
#include "zarr/chunks/array_writer.h"
#include "zarr/chunks/encoded_layout.h"
#include "zarr/chunks/raw_parts.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/layout.h"

namespace rechunk {
namespace {

// The planner may not include the reader, so both have this number.
static_assert(kRawBatchBytes == kSlabBytes);

ChunkTraits source_traits(const ArrayLayout& layout, const CodecCosts& costs) {
  ChunkTraits traits;
  traits.objects = layout.object_shape;
  traits.chunks = traits.units = layout.chunk_shape;
  traits.unit_scratch_bytes = ArrayReader::unit_scratch_bytes(layout);
  traits.spare_bytes = ArrayReader::spare_bytes(layout);
  traits.request_bytes = ArrayReader::request_bytes(layout);
  traits.object_scratch_bytes = ArrayReader::object_scratch_bytes(layout);
  traits.codec_ns_per_byte = costs.decode_ns;
  traits.stored_ratio = costs.stored_ratio;
  traits.in_parts = layout.codecs.empty();
  traits.axis_order = layout.axis_order;
  return traits;
}

// A chunk is encoded whole, also if it reaches over the array's end.
void check_encodable(const ArrayLayout& layout) {
  with_context([&] { layout.codecs.check_decoded_bytes(layout.chunk_bytes()); },
               [&] { return "chunks " + to_string(layout.chunk_shape); });
}

ChunkTraits target_traits(const ArrayLayout& layout, const CodecCosts& costs) {
  ChunkTraits traits;
  traits.objects = layout.object_shape;
  traits.chunks = layout.chunk_shape;
  traits.units =
      layout.shards.empty() ? layout.chunk_shape : layout.shards[0].chunk_shape;
  traits.unit_scratch_bytes = ArrayWriter::unit_scratch_bytes(layout);
  traits.request_bytes = ArrayWriter::request_bytes(layout);
  traits.object_scratch_bytes = ArrayWriter::object_scratch_bytes(layout);
  traits.codec_ns_per_byte = costs.encode_ns;
  traits.stored_ratio = costs.stored_ratio;
  traits.axis_order = layout.axis_order;
  return traits;
}

// Tasks also read the target's own chunks, with the same memory.
void add_kept(const ArrayLayout& target, ArrayProblem& problem) {
  ChunkTraits& source = problem.source;
  problem.kept_in_parts = target.codecs.empty();
  source.unit_scratch_bytes = std::max(source.unit_scratch_bytes,
                                       ArrayReader::unit_scratch_bytes(target));
  source.object_scratch_bytes = std::max(
      source.object_scratch_bytes, ArrayReader::object_scratch_bytes(target));
  // Two readers fill a block, so none may use its memory for encoded bytes.
  source.spare_bytes = 0;
  source.request_bytes =
      std::max(source.request_bytes, ArrayReader::request_bytes(target));
}

ChunkTraits array_source_traits(const ArrayLayout& layout) {
  ChunkTraits traits;
  traits.objects = traits.chunks = traits.units = layout.chunk_shape;
  traits.unit_scratch_bytes = ArraySourceReader::unit_scratch_bytes(layout);
  traits.codec_ns_per_byte = kArraySourceNsPerByte;
  traits.medium.request_ns = kArraySourceRequestNs;
  return traits;
}

ChunkTraits opaque_traits(const ArrayMetadata& array, const CodecCosts& costs) {
  ChunkTraits traits;
  traits.objects = array.chunks;
  traits.chunks = traits.units = inner_chunks(array);
  traits.stored_ratio = costs.stored_ratio;
  return traits;
}

ChunkTraits encoded_traits(const ArrayMetadata& array,
                           const CodecCosts& costs) {
  ChunkTraits traits = opaque_traits(array, costs);
  traits.object_scratch_bytes = encoded_layout(array).index_bytes();
  return traits;
}

}  // namespace

ArrayProblem make_problem(const std::string& name, const ArrayMetadata& source,
                          const ArrayMetadata& target,
                          const ProblemOptions& options) {
  ArrayProblem problem;
  problem.name = name;
  problem.dtype = source.data_type.label();
  problem.shape = target.shape;
  problem.item_bytes = source.data_type.item_bytes;
  const CodecCosts source_costs = codec_costs(source);
  const CodecCosts target_costs = codec_costs(target);
  problem.kept = options.kept;
  // Kept elements go into objects that grow, so these are decoded.
  const bool movable =
      !options.array_source && !options.decodes && options.kept.length == 0;
  problem.same_encoding = movable && same_encoding(source, target);
  problem.same_chunk_encoding =
      movable && !problem.same_encoding && same_chunk_encoding(source, target);
  if (problem.same_encoding) {
    problem.source = opaque_traits(source, source_costs);
    problem.target = opaque_traits(target, target_costs);
    // Of several objects in flight, each has a buffer from which it is written.
    problem.source.request_bytes = kPassthroughBufferBytes;
    problem.target.request_bytes = 1;
  } else if (problem.same_chunk_encoding) {
    problem.source = encoded_traits(source, source_costs);
    problem.target = encoded_traits(target, target_costs);
  } else {
    const ArrayLayout layout = make_layout(source);
    problem.source = options.array_source ? array_source_traits(layout)
                                          : source_traits(layout, source_costs);
    const ArrayLayout written = make_layout(target);
    check_encodable(written);
    problem.target = target_traits(written, target_costs);
    if (options.kept.length > 0) add_kept(written, problem);
  }
  problem.other_bytes = options.other_bytes;
  return problem;
}

}  // namespace rechunk

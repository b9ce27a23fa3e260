#include "zarr/documents/with_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"
#include "zarr/documents/members_v2.h"
#include "zarr/documents/metadata.h"

namespace rechunk {
namespace {

[[noreturn]] void invalid(const std::string& cause) {
  throw Error(ErrorKind::kInvalidArgument, cause);
}

/// The codecs of the source's innermost chunks, and its shards.
struct SourceCodecs {
  CodecParts chunk;              ///< All transposes of all levels, in order.
  std::vector<Sharding> levels;  ///< Outermost first, shapes in array axes.
};

/// Codecs of whole shards are dropped together with the old layout. With them,
/// every read of a chunk would decode a shard.
SourceCodecs take_apart(const ArrayMetadata& source) {
  const std::size_t rank = source.shape.size();
  std::vector<int> axes(rank);
  for (std::size_t axis = 0; axis < rank; ++axis)
    axes[axis] = static_cast<int>(axis);
  SourceCodecs result;
  CodecParts parts = split_codecs(source.codecs);
  std::vector<CodecSpec> before;
  for (;;) {
    for (const CodecSpec& codec : parts.before)
      if (codec.name == "transpose") axes = transposed(axes, codec);
    before.insert(before.end(), parts.before.begin(), parts.before.end());
    if (!is_sharding(parts.middle)) break;
    Sharding level = parse_sharding(parts.middle, rank);
    parts = split_codecs(level.codecs);
    Shape chunk_shape(rank);
    for (std::size_t i = 0; i < rank; ++i)
      chunk_shape[axes[i]] = level.chunk_shape[i];
    level.chunk_shape = std::move(chunk_shape);
    result.levels.push_back(std::move(level));
  }
  result.chunk = std::move(parts);
  result.chunk.before = std::move(before);
  return result;
}

bool divides(const Shape& part, const Shape& whole) {
  for (std::size_t axis = 0; axis < whole.size(); ++axis)
    if (whole[axis] % part[axis] != 0) return false;
  return true;
}

void check_shape(const Shape& shape, const ArrayMetadata& source,
                 std::string_view what) {
  if (shape.size() != source.shape.size())
    invalid(fmt::format("{} {} for an array of {} dimensions", what,
                        to_string(shape), source.shape.size()));
  if (std::any_of(shape.begin(), shape.end(), [](auto n) { return n < 1; }))
    invalid(fmt::format("{} {} must be at least 1 everywhere", what,
                        to_string(shape)));
}

void check_request(const ArrayMetadata& source, const LayoutRequest& request) {
  check_shape(request.chunks, source, "chunks");
  if (!request.shards) return;
  check_shape(*request.shards, source, "shards");
  if (source.zarr_format == 2)
    throw Error(ErrorKind::kUnsupported, "Zarr v2 has no shards",
                "shards need " + option("zarr_format", "3"));
  if (!divides(request.chunks, *request.shards))
    invalid(fmt::format("shards {} are not multiples of the chunks {}",
                        to_string(*request.shards), to_string(request.chunks)));
}

/// Inner chunk shapes, outermost level first. Levels between shards and chunks
/// stay if they still divide. The last level is the chunks.
std::vector<Shape> level_shapes(const SourceCodecs& codecs,
                                const LayoutRequest& request) {
  std::vector<Shape> shapes;
  Shape outer = *request.shards;
  for (std::size_t i = 0; i + 1 < codecs.levels.size(); ++i) {
    const Shape& middle = codecs.levels[i].chunk_shape;
    if (middle == outer || middle == request.chunks ||
        !divides(middle, outer) || !divides(request.chunks, middle))
      continue;
    shapes.push_back(middle);
    outer = middle;
  }
  shapes.push_back(request.chunks);
  return shapes;
}

/// Wraps the chunk's codecs in one sharding codec per level. If the source has
/// such a level, its index codecs and location are kept.
std::vector<CodecSpec> sharded(const SourceCodecs& codecs,
                               const LayoutRequest& request) {
  // For levels that the source lacks. The shape is set below.
  const CodecSpec defaults{"sharding_indexed",
                           R"({"chunk_shape": [], "codecs": []})"};
  const std::vector<Shape> shapes = level_shapes(codecs, request);
  std::vector<CodecSpec> inner = join_codecs(codecs.chunk);
  for (std::size_t i = shapes.size(); i-- > 0;) {
    Sharding level = i < codecs.levels.size() ? codecs.levels[i]
                                              : parse_sharding(defaults, 0);
    level.chunk_shape = shapes[i];
    level.codecs = std::move(inner);
    inner = {format_sharding(level)};
  }
  return inner;
}

/// The explicit codecs take the place of all bytes -> bytes codecs.
void replace_codecs(const ArrayMetadata& source, const LayoutRequest& request,
                    CodecParts& chunk) {
  if (!request.codecs) return;
  if (source.zarr_format == 2 && request.codecs->size() > 1)
    throw Error(ErrorKind::kUnsupported,
                "Zarr v2 has one compressor, not several codecs");
  for (const CodecSpec& codec : chunk.after)
    if (codec_kind(codec.name) != CodecKind::kBytesToBytes)
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("cannot replace the codecs: {} is not known",
                              codec.name));
  chunk.after = *request.codecs;
}

}  // namespace

// Takes the source's codecs out of its shards, replaces them if that is asked,
// and wraps them in new shards, if there are any.
ArrayMetadata with_layout(const ArrayMetadata& source,
                          const LayoutRequest& request) {
  check_request(source, request);
  SourceCodecs codecs = take_apart(source);
  replace_codecs(source, request, codecs.chunk);
  for (CodecSpec& codec : codecs.chunk.after)
    // Blosc must know the size of the elements.
    codec = completed_codec(codec, source.data_type.item_bytes);
  ArrayMetadata target = source;
  target.chunks = request.shards.value_or(request.chunks);
  target.codecs =
      request.shards ? sharded(codecs, request) : join_codecs(codecs.chunk);
  // Without new codecs, the source's own text of its codecs stays.
  if (target.zarr_format == 2 && request.codecs) set_v2_codecs(target);
  return target;
}

}  // namespace rechunk

#include "job/target_hierarchy.h"

#include <algorithm>
#include <optional>

#include "codec/codec_spec_text.h"
#include "plan/chunk_spec.h"
#include "rechunk/error.h"
#include "zarr/layout.h"

namespace rechunk {
namespace {

constexpr std::int64_t kLargestCoordinateBytes = 16 << 20;

// The options, parsed once for all arrays.
struct Request {
  std::optional<ChunkSpec> chunks;
  std::vector<std::pair<std::string, ChunkSpec>> array_chunks;
  std::optional<ChunkSpec> shards;
  bool no_shards = false;
  std::optional<std::vector<CodecSpec>> codecs;
};

Request parse_request(const Options& options) {
  Request request;
  if (!options.chunks.empty())
    request.chunks = parse_chunk_spec(options.chunks);
  for (const auto& [name, text] : options.array_chunks)
    request.array_chunks.emplace_back(name, parse_chunk_spec(text));
  request.no_shards = options.shards == "none";
  if (!options.shards.empty() && !request.no_shards)
    request.shards = parse_chunk_spec(options.shards);
  if (!options.codec.empty()) request.codecs = parse_codec_specs(options.codec);
  return request;
}

const ChunkSpec* array_spec(const Request& request, const std::string& path) {
  const ChunkSpec* found = nullptr;
  for (const auto& [name, spec] : request.array_chunks)
    if (name == path) found = &spec;
  return found;
}

ChunkContext context_of(const ArrayMetadata& array, const Shape& current) {
  return {array.shape, current, dimension_names_of(array),
          std::max<std::int64_t>(1, array.data_type.item_bytes)};
}

// A coordinate: one axis that has the array's own name.
bool is_coordinate(const std::string& path, const ArrayMetadata& array) {
  const auto names = dimension_names_of(array);
  return array.shape.size() == 1 && names.size() == 1 &&
         names[0] == path.substr(path.rfind('/') + 1);
}

// The chunk shape that is asked for; nothing: as it is.
std::optional<Shape> wanted_chunks(const Request& request,
                                   const std::string& path,
                                   const ArrayMetadata& array) {
  const ChunkContext context = context_of(array, inner_chunks(array));
  if (const ChunkSpec* spec = array_spec(request, path))
    return resolve_chunks(*spec, context);
  if (!request.chunks) return std::nullopt;
  if (is_coordinate(path, array)) {
    const std::int64_t length = std::max<std::int64_t>(1, array.shape[0]);
    const std::int64_t item_bytes = array.data_type.item_bytes;
    if (item_bytes == 0 || length > kLargestCoordinateBytes / item_bytes ||
        !can_decode(array))
      return std::nullopt;
    return Shape{length};
  }
  // A list of lengths is for the arrays of its rank; a root array has no other.
  if (!path.empty() && !applies_to(*request.chunks, context))
    return std::nullopt;
  return resolve_chunks(
      path.empty() ? *request.chunks : restricted_to(*request.chunks, context),
      context);
}

Shape round_up(const Shape& shape, const Shape& step) {
  Shape rounded = shape;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    rounded[axis] =
        checked_multiply(ceil_div(shape[axis], step[axis]), step[axis]);
  return rounded;
}

std::optional<Shape> wanted_shards(const Request& request,
                                   const std::string& path,
                                   const ArrayMetadata& array,
                                   const Shape& chunks) {
  if (request.no_shards) return std::nullopt;
  const std::optional<Shape> current = shards_of(array);
  if (request.shards && !is_coordinate(path, array)) {
    const ChunkContext context = context_of(array, current.value_or(chunks));
    if (path.empty() || applies_to(*request.shards, context))
      return round_up(
          resolve_chunks(path.empty() ? *request.shards
                                      : restricted_to(*request.shards, context),
                         context),
          chunks);
  }
  if (!current) return std::nullopt;
  return round_up(*current, chunks);
}

ArrayMetadata make_target_array(const Request& request, const std::string& path,
                                const ArrayMetadata& array) {
  const auto chunks = wanted_chunks(request, path, array);
  if (!chunks && !request.codecs && !request.shards && !request.no_shards)
    return array;
  const Shape inner = chunks.value_or(inner_chunks(array));
  return with_layout(array, {inner, wanted_shards(request, path, array, inner),
                             request.codecs});
}

void check_names(const Request& request, const Hierarchy& source) {
  for (const auto& [name, spec] : request.array_chunks)
    if (!source.arrays.contains(name)) {
      std::string names;
      for (const auto& [path, array] : source.arrays)
        names += (names.empty() ? "" : ", ") + (path.empty() ? "(root)" : path);
      throw Error(ErrorKind::kInvalidArgument,
                  "--array " + name + ": the source has no such array",
                  "its arrays are: " + names);
    }
  if (!request.chunks || source.root_is_array) return;
  for (const auto& [path, array] : source.arrays)
    if (applies_to(*request.chunks, context_of(array, inner_chunks(array))))
      return;
  throw Error(ErrorKind::kInvalidArgument,
              "--chunks: no array of the source has such dimensions",
              "`rechunk info` shows the arrays and the names of their "
              "dimensions");
}

}  // namespace

bool can_decode(const ArrayMetadata& array) {
  try {
    make_layout(array);
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kUnsupported) return false;
    throw;
  }
}

std::optional<Shape> shards_of(const ArrayMetadata& metadata) {
  const bool sharded = std::any_of(
      metadata.codecs.begin(), metadata.codecs.end(),
      [](const CodecSpec& codec) { return codec.name == "sharding_indexed"; });
  return sharded ? std::optional(metadata.chunks) : std::nullopt;
}

std::vector<std::string> dimension_names_of(const ArrayMetadata& metadata) {
  std::vector<std::string> names;
  if (!metadata.dimension_names) return names;
  for (const auto& name : *metadata.dimension_names)
    names.push_back(name.value_or(""));
  if (names.size() != metadata.shape.size()) names.clear();
  return names;
}

Hierarchy make_target_hierarchy(const Hierarchy& source,
                                const Options& options) {
  const Request request = parse_request(options);
  check_names(request, source);
  const int zarr_format =
      options.zarr_format ? options.zarr_format : source.zarr_format;
  // The layout is made in v3, which has shards to add or to remove.
  Hierarchy target = zarr_format == 3 ? convert_format(source, 3) : source;
  for (auto& [path, array] : target.arrays)
    array = with_context(
        [&] { return make_target_array(request, path, array); },
        [&] { return path.empty() ? "the array" : "array " + path; });
  if (zarr_format == 2) target = convert_format(target, 2);
  target.consolidated = options.consolidate.value_or(target.consolidated);
  return target;
}

}  // namespace rechunk

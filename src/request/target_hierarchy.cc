#include "request/target_hierarchy.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/array_label.h"
#include "codec/codec_spec_text.h"
#include "json/raw_json.h"
#include "plan/chunk_spec.h"
#include "rechunk/error.h"
#include "request/coordinates.h"
#include "zarr/documents/convert.h"
#include "zarr/documents/dimension_names.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/layout.h"
#include "zarr/documents/with_layout.h"

namespace rechunk {
namespace {

constexpr std::int64_t kLargestCoordinateBytes = 16 << 20;

using Codecs = std::vector<CodecSpec>;

// What is asked for shards: a spec, or none at all.
struct ShardRequest {
  bool none = false;
  std::optional<ChunkSpec> spec;
};

// What is asked for all arrays, and for some by path.
template <class Value>
struct PerArray {
  const char* own_option;  ///< That which sets `own`.
  std::optional<Value> common = {};
  std::map<std::string, Value> own = {};

  const Value* of(const std::string& path) const {
    const auto found = own.find(path);
    return found == own.end() ? nullptr : &found->second;
  }
};

// The options, parsed once for all arrays, and the names that they may use.
struct Request {
  DimensionNames names;
  PerArray<ChunkSpec> chunks;
  PerArray<ShardRequest> shards;
  PerArray<Codecs> codecs;
  /// What a list of lengths says of dimensions by their name. 0: it gives a
  /// dimension one length in one array, and another one elsewhere.
  std::map<std::string, std::int64_t> lengths;
};

// An "auto" chunk leaves memory for what else a task holds.
constexpr std::int64_t kAutoShare = 8;

ChunkSpec parse_chunks(const std::string& text, std::int64_t max_memory) {
  const std::int64_t share = max_memory / kAutoShare;
  return parse_chunk_spec(text,
                          share > 0 ? std::min(kAutoBytes, share) : kAutoBytes);
}

ShardRequest parse_shards(const std::string& text) {
  if (text == "none") return {.none = true};
  return {.spec = parse_chunk_spec(text)};
}

Codecs parse_codecs(const std::string& text) {
  Codecs codecs = parse_codec_specs(text);
  for (const CodecSpec& codec : codecs)
    if (!is_known_codec(codec.name))
      throw Error(ErrorKind::kInvalidArgument,
                  "rechunk cannot encode with " + codec.name,
                  "it can with " + known_codecs());
  return codecs;
}

[[noreturn]] void no_such_array(const std::string& name,
                                const Hierarchy& source, const char* asked_by) {
  std::string names;
  for (const auto& [path, array] : source.arrays)
    names += (names.empty() ? "" : ", ") + (path.empty() ? "(root)" : path);
  throw Error(ErrorKind::kInvalidArgument,
              option(asked_by, name) + ": the source has no such array",
              "its arrays are: " + names);
}

// Splits "NAME:VALUE". Names may have colons: the longest one of an array
// counts.
std::pair<std::string, std::string> split_word(const std::string& word,
                                               const Hierarchy& source,
                                               const char* asked_by) {
  const std::size_t start = word.find_first_not_of('/');
  for (std::size_t colon = word.rfind(':'); colon != std::string::npos;
       colon = colon > 0 ? word.rfind(':', colon - 1) : std::string::npos) {
    const std::string name =
        start < colon ? word.substr(start, colon - start) : "";
    if (source.arrays.contains(name) || source.unread.contains(name))
      return {name, word.substr(colon + 1)};
  }
  no_such_array(word.substr(0, word.find(':')), source, asked_by);
}

using Texts = std::vector<std::pair<std::string, std::string>>;

template <class Parse, class Value>
void parse_each(const std::string& common, Texts arrays,
                const std::vector<std::string>& words, const Hierarchy& source,
                Parse&& parse, PerArray<Value>& result) {
  if (!common.empty()) result.common = parse(common);
  for (const std::string& word : words)
    arrays.push_back(split_word(word, source, result.own_option));
  for (const auto& [name, text] : arrays)
    result.own.insert_or_assign(name, parse(text));
}

ChunkContext context_of(const Request& request, const std::string& path,
                        const ArrayMetadata& array, const Shape& current) {
  return {array.shape, current, request.names.of(path, array),
          std::max<std::int64_t>(1, array.data_type.item_bytes)};
}

Request parse_request(const Options& options, const Hierarchy& source) {
  Request request{DimensionNames(source),
                  {"array_chunks"},
                  {"array_shards"},
                  {"array_codecs"},
                  {}};
  const auto parse = [&](const std::string& text) {
    return parse_chunks(text, options.max_memory);
  };
  parse_each(options.chunks, options.array_chunks, options.array_chunk_words,
             source, parse, request.chunks);
  parse_each(options.shards, options.array_shards, {}, source, parse_shards,
             request.shards);
  parse_each(options.codec, options.array_codecs, options.array_codec_words,
             source, parse_codecs, request.codecs);
  if (request.chunks.common)
    request.lengths =
        lengths_by_dimension(*request.chunks.common, request.names, source);
  return request;
}

// What a coordinate should have room for. 0: nothing is said of that.
std::int64_t length_along(const Request& request,
                          const std::string& dimension) {
  const auto found = request.lengths.find(dimension);
  return std::max(length_of(*request.chunks.common, dimension),
                  found == request.lengths.end() ? 0 : found->second);
}

// The chunk shape that is asked for; nothing: as it is.
std::optional<Shape> wanted_chunks(const Request& request,
                                   const std::string& path,
                                   const ArrayMetadata& array) {
  const ChunkContext context =
      context_of(request, path, array, inner_chunks(array));
  if (const ChunkSpec* own = request.chunks.of(path))
    return resolve_chunks(*own, context);
  // What cannot be decoded is moved as it is, unless it is named.
  if (!request.chunks.common || (!path.empty() && !is_decodable(array)))
    return std::nullopt;
  const ChunkSpec& spec = *request.chunks.common;
  if (is_coordinate(path, array)) {
    // One chunk, with room for what will be appended.
    const std::int64_t length =
        std::max({std::int64_t{1}, array.shape[0], context.current_chunks[0],
                  length_along(request, context.dimension_names[0])});
    const std::int64_t item_bytes = array.data_type.item_bytes;
    if (item_bytes == 0 || length > kLargestCoordinateBytes / item_bytes)
      return std::nullopt;
    return Shape{length};
  }
  // A list of lengths is for the arrays of its rank; a root array has no other.
  if (!path.empty() && !applies_to(spec, context)) return std::nullopt;
  return resolve_chunks(path.empty() ? spec : restricted_to(spec, context),
                        context);
}

Shape round_up(const Shape& shape, const Shape& step) {
  Shape rounded = shape;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    rounded[axis] =
        checked_multiply(ceil_div(shape[axis], step[axis]), step[axis]);
  return rounded;
}

bool has_auto(const ChunkSpec& spec) {
  const auto is_auto = [](const ChunkLength& length) {
    return length.kind == ChunkLength::Kind::kAuto;
  };
  return (spec.everywhere && is_auto(*spec.everywhere)) ||
         std::any_of(spec.by_position.begin(), spec.by_position.end(),
                     is_auto) ||
         std::any_of(spec.by_name.begin(), spec.by_name.end(),
                     [&](const auto& named) { return is_auto(named.second); });
}

// Shards as they are asked for: whole chunks, unless they end with the array.
Shape asked_shards(const ChunkSpec& spec, const ChunkContext& context,
                   const Shape& chunks) {
  const Shape shards = resolve_chunks(spec, context);
  const Shape whole_chunks = round_up(shards, chunks);
  if (has_auto(spec)) return whole_chunks;
  for (std::size_t axis = 0; axis < shards.size(); ++axis) {
    if (shards[axis] == whole_chunks[axis] ||
        shards[axis] >= context.shape[axis] ||
        shards[axis] == context.current_chunks[axis])
      continue;
    throw Error(ErrorKind::kInvalidArgument,
                fmt::format("{}: {} along dimension {} is no multiple of the "
                            "chunk's {}",
                            option("shards"), shards[axis], axis, chunks[axis]),
                fmt::format("{} would do", whole_chunks[axis]));
  }
  return whole_chunks;
}

std::optional<Shape> wanted_shards(const Request& request,
                                   const std::string& path,
                                   const ArrayMetadata& array,
                                   const Shape& chunks) {
  const ShardRequest* own = request.shards.of(path);
  const ShardRequest wanted =
      own ? *own : request.shards.common.value_or(ShardRequest{});
  if (wanted.none) return std::nullopt;
  const std::optional<Shape> current = shards_of(array);
  const ChunkContext context =
      context_of(request, path, array, current.value_or(chunks));
  const bool named = own || path.empty();
  if (wanted.spec && (named || (!is_coordinate(path, array) &&
                                applies_to(*wanted.spec, context))))
    return asked_shards(
        named ? *wanted.spec : restricted_to(*wanted.spec, context), context,
        chunks);
  if (!current) return std::nullopt;
  return round_up(*current, chunks);
}

// Codecs for all arrays are for those that can be decoded.
std::optional<Codecs> wanted_codecs(const Request& request,
                                    const std::string& path,
                                    const ArrayMetadata& array) {
  if (const Codecs* own = request.codecs.of(path)) return *own;
  if (!path.empty() && !is_decodable(array)) return std::nullopt;
  return request.codecs.common;
}

ArrayMetadata make_target_array(const Request& request, const std::string& path,
                                const ArrayMetadata& array) {
  const auto chunks = wanted_chunks(request, path, array);
  const auto codecs = wanted_codecs(request, path, array);
  const bool shards = request.shards.common || request.shards.of(path);
  if (!chunks && !codecs && !shards) return array;
  const Shape inner = chunks.value_or(inner_chunks(array));
  return with_layout(
      array, {inner, wanted_shards(request, path, array, inner), codecs});
}

// True if the array keeps its chunks or codecs, since it cannot be decoded,
// although others are asked for.
bool is_left_as_stored(const Request& request, const std::string& path,
                       const ArrayMetadata& array) {
  if (path.empty() || is_decodable(array)) return false;
  if (request.codecs.common && !request.codecs.of(path)) return true;
  if (!request.chunks.common || request.chunks.of(path)) return false;
  const ChunkContext context =
      context_of(request, path, array, inner_chunks(array));
  if (!applies_to(*request.chunks.common, context)) return false;
  const Shape wanted =
      is_coordinate(path, array)
          ? Shape{std::max<std::int64_t>(1, array.shape[0])}
          : resolve_chunks(restricted_to(*request.chunks.common, context),
                           context);
  return wanted != inner_chunks(array);
}

template <class Value>
void check_arrays(const PerArray<Value>& asked, const Hierarchy& source) {
  for (const auto& [name, value] : asked.own) {
    if (source.arrays.contains(name)) continue;
    const auto unread = source.unread.find(name);
    if (unread != source.unread.end())
      throw Error(ErrorKind::kUnsupported,
                  "array " + name + ": " + unread->second.cause,
                  "it can only be moved as stored: do not name it");
    no_such_array(name, source, asked.own_option);
  }
}

bool applies_somewhere(const Request& request, const ChunkSpec& spec,
                       const Hierarchy& source) {
  return std::any_of(
      source.arrays.begin(), source.arrays.end(), [&](const auto& entry) {
        const auto& [path, array] = entry;
        return applies_to(
            spec, context_of(request, path, array, inner_chunks(array)));
      });
}

// In a group an array may lack a dimension, but some array must have it.
void check_dimensions(const Request& request, const char* asked_by,
                      const ChunkSpec& spec, const Hierarchy& source) {
  if (source.root_is_array) return;
  for (const auto& named : spec.by_name)
    if (!applies_somewhere(request, {.by_name = {named}}, source))
      throw Error(ErrorKind::kInvalidArgument,
                  fmt::format("{}: no array of the source has a dimension "
                              "\"{}\"",
                              option(asked_by), named.first),
                  list_dimensions(request.names, source));
  if (applies_somewhere(request, spec, source)) return;
  throw Error(ErrorKind::kInvalidArgument,
              fmt::format("{}: no array of the source has such dimensions",
                          option(asked_by)),
              list_dimensions(request.names, source));
}

// Throws what is wrong with the arrays that the chunks are for, if none of
// them can be decoded.
void check_decodable(const Request& request, const Hierarchy& source) {
  if (!request.chunks.common || source.root_is_array) return;
  std::optional<std::string> undecodable;
  for (const auto& [path, array] : source.arrays) {
    const ChunkContext context =
        context_of(request, path, array, inner_chunks(array));
    if (!applies_to(*request.chunks.common, context)) continue;
    if (is_decodable(array)) return;
    undecodable = path;
  }
  if (undecodable)
    with_context([&] { return make_layout(source.arrays.at(*undecodable)); },
                 [&] { return "array " + *undecodable; });
}

void check_names(const Request& request, const Hierarchy& source) {
  check_arrays(request.chunks, source);
  check_arrays(request.shards, source);
  check_arrays(request.codecs, source);
  if (request.chunks.common)
    check_dimensions(request, "chunks", *request.chunks.common, source);
  if (request.shards.common && request.shards.common->spec)
    check_dimensions(request, "shards", *request.shards.common->spec, source);
  check_decodable(request, source);
}

void write_names_as_text(std::optional<std::string>& attributes) {
  if (attributes) attributes = raw_json::with_names_as_text(*attributes);
}

void write_names_as_text(Hierarchy& target) {
  for (auto& [path, array] : target.arrays)
    write_names_as_text(array.attributes);
  for (auto& [path, group] : target.groups)
    write_names_as_text(group.attributes);
}

}  // namespace

std::vector<NotRechunked> left_as_stored(const Hierarchy& source,
                                         const Options& options) {
  const Request request = parse_request(options, source);
  std::vector<NotRechunked> left;
  for (const auto& [path, array] : source.unread)
    left.push_back({path, array.cause});
  for (const auto& [path, array] : source.arrays)
    if (is_left_as_stored(request, path, array))
      left.push_back({path, undecodable_part(array)});
  return left;
}

Hierarchy make_target_hierarchy(const Hierarchy& source,
                                const Options& options) {
  const Request request = parse_request(options, source);
  check_names(request, source);
  const int zarr_format =
      options.zarr_format ? options.zarr_format : source.zarr_format;
  // The layout is made in v3, which has shards to add or to remove.
  Hierarchy target = zarr_format == 3 ? convert_format(source, 3) : source;
  for (auto& [path, array] : target.arrays)
    array =
        with_context([&] { return make_target_array(request, path, array); },
                     [&] { return array_label(path); });
  if (zarr_format == 2) target = convert_format(target, 2);
  for (auto& [path, array] : target.arrays)
    array = standard_spelling(std::move(array));
  if (options.nan_attributes_as_text) write_names_as_text(target);
  target.consolidated = options.consolidate.value_or(target.consolidated);
  for (auto& [path, group] : target.groups)
    group.consolidated = group.consolidated && options.consolidate != false;
  return target;
}

}  // namespace rechunk

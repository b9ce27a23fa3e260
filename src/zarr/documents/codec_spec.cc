#include "zarr/documents/codec_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "codec/codec_row.h"
#include "json/raw_json.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

constexpr std::size_t kMaxRank = 64;
constexpr std::int64_t kMaxLength = std::int64_t{1} << 62;

[[noreturn]] void corrupt(const std::string& cause) {
  throw Error(ErrorKind::kCorrupt, cause);
}

CodecSpec parse_codec_v3(std::string_view json) {
  if (const auto name = raw_json::as_string(json)) return {*name, "{}"};
  if (!raw_json::is_object(json))
    corrupt("not a codec: " + raw_json::excerpt(json));
  CodecSpec codec{"", "{}"};
  for (const auto& member : raw_json::members(json)) {
    if (member.key == "name")
      codec.name = raw_json::as_string(member.text).value_or("");
    if (member.key == "configuration") codec.configuration = member.text;
  }
  if (codec.name.empty())
    corrupt("a codec without \"name\": " + raw_json::excerpt(json));
  if (!raw_json::is_object(codec.configuration))
    corrupt(fmt::format("codec {}: \"configuration\" is not an object",
                        codec.name));
  return codec;
}

std::string format_codec_v3(const CodecSpec& codec) {
  // zarr-python insists on a configuration, empty or not, except for some.
  const CodecRow* row = find_codec(codec.name);
  const bool bare =
      row && row->is_bare && raw_json::members(codec.configuration).empty();
  const std::string name = raw_json::quote(codec.name);
  if (bare) return fmt::format(R"({{"name": {}}})", name);
  return fmt::format(R"({{"name": {}, "configuration": {}}})", name,
                     codec.configuration);
}

}  // namespace

CodecParts split_codecs(const std::vector<CodecSpec>& codecs) {
  CodecParts parts;
  for (const CodecSpec& codec : codecs) {
    const bool first = parts.middle.name.empty();
    if (first && codec_kind(codec.name) == CodecKind::kArrayToBytes)
      parts.middle = codec;
    else
      (first ? parts.before : parts.after).push_back(codec);
  }
  return parts;
}

std::vector<CodecSpec> join_codecs(const CodecParts& parts) {
  std::vector<CodecSpec> codecs = parts.before;
  if (!parts.middle.name.empty()) codecs.push_back(parts.middle);
  codecs.insert(codecs.end(), parts.after.begin(), parts.after.end());
  return codecs;
}

void check_codec_count(std::size_t count) {
  constexpr std::size_t kMaxCodecs = 64;
  if (count > kMaxCodecs) corrupt(fmt::format("a list of {} codecs", count));
}

std::vector<CodecSpec> parse_codecs_v3(std::string_view json) {
  if (!raw_json::is_list(json))
    corrupt("not a list of codecs: " + raw_json::excerpt(json));
  const auto elements = raw_json::elements(json);
  check_codec_count(elements.size());
  std::vector<CodecSpec> codecs;
  for (std::string_view element : elements)
    codecs.push_back(parse_codec_v3(element));
  return codecs;
}

std::string format_codecs_v3(const std::vector<CodecSpec>& codecs) {
  std::string json;
  for (const CodecSpec& codec : codecs)
    json += (json.empty() ? "" : ", ") + format_codec_v3(codec);
  return '[' + json + ']';
}

CodecSpec bytes_codec(const DataType& data_type) {
  const auto& scalars = data_type.scalars;
  const bool ordered = std::any_of(scalars.begin(), scalars.end(),
                                   [](auto& s) { return s.swappable; });
  if (!ordered) return {"bytes", "{}"};
  const bool big = std::any_of(scalars.begin(), scalars.end(),
                               [](auto& s) { return s.big_endian; });
  return {"bytes", big ? R"({"endian": "big"})" : R"({"endian": "little"})"};
}

std::vector<int> transpose_order(const CodecSpec& codec, std::size_t rank) {
  std::vector<int> order;
  const auto text = raw_json::find(codec.configuration, "order");
  // Drafts of the format also had letters.
  if (text == "\"C\"" || text == "\"F\"") {
    for (std::size_t axis = 0; axis < rank; ++axis)
      order.push_back(
          static_cast<int>(text == "\"C\"" ? axis : rank - 1 - axis));
    return order;
  }
  std::vector<bool> seen(rank);
  if (text && raw_json::is_list(*text))
    for (std::string_view element : raw_json::elements(*text)) {
      const auto axis = raw_json::as_unsigned(element);
      if (!axis || *axis >= rank || seen[*axis]) break;
      seen[*axis] = true;
      order.push_back(static_cast<int>(*axis));
    }
  if (order.size() != rank)
    corrupt(fmt::format("codec transpose: not a permutation of {} axes: {}",
                        rank, text ? raw_json::excerpt(*text) : "nothing"));
  return order;
}

std::vector<int> c_order(std::size_t rank) {
  std::vector<int> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

std::vector<int> transposed(const std::vector<int>& axes,
                            const CodecSpec& codec) {
  std::vector<int> result;
  for (const int axis : transpose_order(codec, axes.size()))
    result.push_back(axes[axis]);
  return result;
}

std::vector<int> transposed(std::vector<int> axes,
                            const std::vector<CodecSpec>& codecs) {
  for (const CodecSpec& codec : codecs)
    if (codec.name == "transpose") axes = transposed(axes, codec);
  return axes;
}

bool is_sharding(const CodecSpec& codec) {
  return codec.name == "sharding_indexed";
}

Sharding parse_sharding(const CodecSpec& codec, std::size_t rank) {
  Sharding sharding;
  bool has_codecs = false;
  sharding.index_codecs = {{"bytes", R"({"endian": "little"})"},
                           {"crc32c", "{}"}};
  for (const auto& [key, text, whole] :
       raw_json::members(codec.configuration)) {
    if (key == "chunk_shape") sharding.chunk_shape = parse_shape(text, key);
    if (key == "codecs") {
      sharding.codecs = parse_codecs_v3(text);
      has_codecs = true;
    }
    if (key == "index_codecs") sharding.index_codecs = parse_codecs_v3(text);
    if (key == "index_location") {
      if (text != "\"start\"" && text != "\"end\"")
        corrupt(
            "sharding_indexed: \"index_location\" is neither start nor end");
      sharding.index_at_start = text == "\"start\"";
    }
  }
  const auto& chunk = sharding.chunk_shape;
  if (!has_codecs || chunk.size() != rank ||
      std::find(chunk.begin(), chunk.end(), 0) != chunk.end())
    corrupt("sharding_indexed: \"chunk_shape\" or \"codecs\" missing or wrong");
  return sharding;
}

CodecSpec format_sharding(const Sharding& sharding) {
  return {"sharding_indexed",
          fmt::format(R"({{"chunk_shape": {}, "codecs": {}, )"
                      R"("index_codecs": {}, "index_location": "{}"}})",
                      format_shape(sharding.chunk_shape),
                      format_codecs_v3(sharding.codecs),
                      format_codecs_v3(sharding.index_codecs),
                      sharding.index_at_start ? "start" : "end")};
}

Shape parse_shape(std::string_view json, std::string_view what) {
  const auto fail = [&](const char* cause) {
    corrupt(fmt::format("member \"{}\": {}: {}", what, cause,
                        raw_json::excerpt(json)));
  };
  if (!raw_json::is_list(json)) fail("not a list");
  Shape shape;
  for (std::string_view element : raw_json::elements(json)) {
    // Some Python writers have written `true` for the length 1.
    const auto length = element == "true" ? 1 : raw_json::as_integer(element);
    if (!length) fail("not a list of whole numbers");
    if (*length < 0 || *length > kMaxLength) fail("a length out of range");
    shape.push_back(*length);
  }
  if (shape.size() > kMaxRank) fail("more than 64 dimensions");
  return shape;
}

std::string format_shape(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace rechunk

// Questions about how an array is encoded that need no codec: chunk keys, the
// chunks readers see, descriptions, and whether encoded objects may be moved.
#include "zarr/documents/encoding.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/codec_row.h"
#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"
#include "zarr/documents/metadata.h"
#include "zarr/elements/element_type.h"

namespace rechunk {
namespace {

std::string value_text(std::string_view configuration, std::string_view key) {
  const auto text = raw_json::find(configuration, key);
  if (!text) return {};
  return raw_json::as_string(*text).value_or(std::string(*text));
}

/// Members that people want to see.
std::vector<std::string_view> shown_members(const CodecSpec& codec) {
  const CodecRow* row = find_codec(codec.name);
  if (!row || !row->members) return {"cname", "clevel", "shuffle", "level"};
  std::vector<std::string_view> keys;
  for (const CodecMember& member : *row->members)
    if (member.shown) keys.push_back(member.key);
  return keys;
}

std::string describe(const CodecSpec& codec) {
  std::string name = codec.name;
  if (name.starts_with(kNumcodecsPrefix))
    name.erase(0, kNumcodecsPrefix.size());
  std::string settings;
  for (std::string_view key : shown_members(codec)) {
    const std::string text = value_text(codec.configuration, key);
    if (!text.empty()) settings += (settings.empty() ? "" : ", ") + text;
  }
  return settings.empty() ? name : fmt::format("{}({})", name, settings);
}

/// Equal for lists that decode alike. Transposes become the order that they
/// make together, because v2 has only an order.
std::string decode_chain(const std::vector<CodecSpec>& codecs,
                         std::size_t rank);

std::string canonical_codec(const CodecSpec& codec, std::size_t rank) {
  if (is_sharding(codec)) {
    const Sharding sharding = parse_sharding(codec, rank);
    // The index has one more axis, for offset and size.
    return fmt::format(
        "{} {} {} [{}] [{}]", codec.name, format_shape(sharding.chunk_shape),
        sharding.index_at_start, decode_chain(sharding.codecs, rank),
        decode_chain(sharding.index_codecs, rank + 1));
  }
  if (codec.name == "bytes") return codec.name;  // The type has the order.
  const CodecRow* row = find_codec(codec.name);
  const bool has_own = row && row->canonical;
  return codec.name +
         raw_json::canonical(has_own ? row->canonical(codec.configuration)
                                     : codec.configuration);
}

std::string decode_chain(const std::vector<CodecSpec>& codecs,
                         std::size_t rank) {
  std::string text =
      fmt::format("({})", fmt::join(transposed(c_order(rank), codecs), ","));
  for (const CodecSpec& codec : codecs)
    if (codec.name != "transpose") text += ' ' + canonical_codec(codec, rank);
  return text;
}

bool same_byte_order(const DataType& a, const DataType& b) {
  return std::equal(a.scalars.begin(), a.scalars.end(), b.scalars.begin(),
                    b.scalars.end(), [](auto& x, auto& y) {
                      return x.bytes == y.bytes && x.swappable == y.swappable &&
                             x.big_endian == y.big_endian;
                    });
}

/// The token of a type without a fixed size; v2 has three for the empty string.
std::string fill_text(const ArrayMetadata& metadata) {
  const std::string& json = metadata.fill_value.json;
  const bool is_empty =
      metadata.data_type.item_bytes == 0 && (json == "null" || json == "0");
  return is_empty ? "\"\"" : raw_json::canonical(json);
}

/// Bit for bit; types without a fixed size compare by their tokens.
bool same_fill(const ArrayMetadata& a, const ArrayMetadata& b) {
  const auto &bits_a = a.fill_value.bits, &bits_b = b.fill_value.bits;
  if (bits_a.empty() || bits_b.empty()) return fill_text(a) == fill_text(b);
  return bits_a == bits_b;
}

/// Shape, type, byte order and fill value.
bool same_elements(const ArrayMetadata& a, const ArrayMetadata& b) {
  return a.shape == b.shape && same_type(a.data_type, b.data_type) &&
         same_byte_order(a.data_type, b.data_type) && same_fill(a, b);
}

/// The codecs that the chunks of a shard would have outside of it. Nothing if
/// shards lie in shards, or if codecs work on whole shards.
std::optional<std::vector<CodecSpec>> unsharded_codecs(
    const ArrayMetadata& metadata) {
  const CodecParts parts = split_codecs(metadata.codecs);
  if (!is_sharding(parts.middle)) return metadata.codecs;
  if (!parts.after.empty()) return std::nullopt;
  std::vector<CodecSpec> codecs = parts.before;
  for (const CodecSpec& codec : codecs)
    // Such a codec works on whole shards.
    if (codec.name != "transpose") return std::nullopt;
  const Sharding sharding = parse_sharding(parts.middle, metadata.shape.size());
  if (is_sharding(split_codecs(sharding.codecs).middle)) return std::nullopt;
  codecs.insert(codecs.end(), sharding.codecs.begin(), sharding.codecs.end());
  return codecs;
}

}  // namespace

CodecParts innermost_codecs(const ArrayMetadata& metadata) {
  CodecParts parts = split_codecs(metadata.codecs);
  while (is_sharding(parts.middle))
    parts = split_codecs(
        parse_sharding(parts.middle, metadata.shape.size()).codecs);
  return parts;
}

std::string chunk_key(const ChunkKeyEncoding& encoding,
                      const Shape& coordinates) {
  std::string key = encoding.v2 ? "" : "c";
  for (std::size_t axis = 0; axis < coordinates.size(); ++axis) {
    if (!key.empty()) key += encoding.separator;
    const std::int64_t first =
        encoding.first.empty() ? 0 : encoding.first[axis];
    key += std::to_string(first + coordinates[axis]);
  }
  return key.empty() ? "0" : key;
}

Shape inner_chunks(const ArrayMetadata& metadata) {
  const std::size_t rank = metadata.shape.size();
  Shape chunks = metadata.chunks;
  std::vector<int> axes = c_order(rank);
  CodecParts parts = split_codecs(metadata.codecs);
  for (;;) {
    axes = transposed(axes, parts.before);
    if (!is_sharding(parts.middle)) return chunks;
    const Sharding sharding = parse_sharding(parts.middle, rank);
    for (std::size_t i = 0; i < rank; ++i)
      // A codec's shape has its axes in the order after all transposes before
      // it.
      chunks[axes[i]] = sharding.chunk_shape[i];
    parts = split_codecs(sharding.codecs);
  }
}

std::optional<Shape> shards_of(const ArrayMetadata& metadata) {
  const bool sharded = std::any_of(
      metadata.codecs.begin(), metadata.codecs.end(),
      [](const CodecSpec& codec) { return codec.name == "sharding_indexed"; });
  return sharded ? std::optional(metadata.chunks) : std::nullopt;
}

std::string describe_codecs(const ArrayMetadata& metadata) {
  const CodecParts parts = innermost_codecs(metadata);
  std::string text;
  const auto add = [&](const CodecSpec& codec) {
    text += (text.empty() ? "" : " + ") + describe(codec);
  };
  for (const CodecSpec& codec : parts.before)
    if (codec.name != "transpose") add(codec);
  if (parts.middle.name != "bytes" && !parts.middle.name.empty())
    add(parts.middle);
  for (const CodecSpec& codec : parts.after) add(codec);
  return text.empty() ? "none" : text;
}

bool same_encoding(const ArrayMetadata& a, const ArrayMetadata& b) {
  const std::size_t rank = a.shape.size();
  return same_elements(a, b) && a.chunks == b.chunks &&
         decode_chain(a.codecs, rank) == decode_chain(b.codecs, rank);
}

bool same_chunk_encoding(const ArrayMetadata& a, const ArrayMetadata& b) {
  const std::size_t rank = a.shape.size();
  if (!same_elements(a, b)) return false;
  const auto codecs_a = unsharded_codecs(a), codecs_b = unsharded_codecs(b);
  return codecs_a && codecs_b && inner_chunks(a) == inner_chunks(b) &&
         decode_chain(*codecs_a, rank) == decode_chain(*codecs_b, rank);
}

}  // namespace rechunk

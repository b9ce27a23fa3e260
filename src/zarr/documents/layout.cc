#include "zarr/documents/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"
#include "zarr/elements/fill_value.h"

namespace rechunk {
namespace {

[[noreturn]] void corrupt(const std::string& cause) {
  throw Error(ErrorKind::kCorrupt, cause);
}
[[noreturn]] void unsupported(const std::string& cause) {
  throw Error(ErrorKind::kUnsupported, cause, kUndecodableHint);
}
[[noreturn]] void cannot_decode(const std::string& what) {
  unsupported(fmt::format("rechunk cannot decode {} yet", what));
}

/// Peels a codec list level by level; collects what it meets in the layout.
class LayoutBuilder {
 public:
  explicit LayoutBuilder(const ArrayMetadata& metadata)
      : metadata_(metadata), rank_(metadata.shape.size()) {}

  ArrayLayout build();
  std::optional<ShardLevel> build_shards();

 private:
  void fill_in_grid();
  void fill_in_elements();
  void check_sizes() const;
  void peel(const std::vector<CodecSpec>& codecs);
  void check_middle(const CodecParts& parts) const;
  void apply_before(const std::vector<CodecSpec>& codecs);
  void check_stored_as_named(const CodecSpec& codec) const;
  void check_fill() const;
  void add_shard_level(const Sharding& sharding);
  void set_index_codecs(const Sharding& sharding, ShardLevel& level) const;
  void finish_chunk(const CodecParts& parts);

  const ArrayMetadata& metadata_;
  std::size_t rank_;
  ArrayLayout layout_;
  std::vector<CodecSpec> chain_;  ///< For make_codec_chain.
};

ArrayLayout LayoutBuilder::build() {
  fill_in_grid();
  fill_in_elements();
  peel(metadata_.codecs);
  check_sizes();
  layout_.codecs = make_codec_chain(chain_, layout_.item_bytes);
  check_fill();
  return std::move(layout_);
}

std::optional<ShardLevel> LayoutBuilder::build_shards() {
  fill_in_grid();
  const CodecParts parts = split_codecs(metadata_.codecs);
  if (!is_sharding(parts.middle)) return std::nullopt;
  apply_before(parts.before);
  add_shard_level(parse_sharding(parts.middle, rank_));
  return std::move(layout_.shards[0]);
}

void LayoutBuilder::fill_in_grid() {
  layout_.shape = metadata_.shape;
  layout_.object_shape = layout_.chunk_shape = metadata_.chunks;
  layout_.axis_order.resize(rank_);
  std::iota(layout_.axis_order.begin(), layout_.axis_order.end(), 0);
  layout_.key_encoding = metadata_.key_encoding;
}

void LayoutBuilder::fill_in_elements() {
  const DataType& type = metadata_.data_type;
  if (type.item_bytes == 0)
    cannot_decode(fmt::format("data type {}", type.label()));
  if (type.item_bytes > kMaxFillBytes)
    cannot_decode(fmt::format("elements of {} bytes", type.item_bytes));
  if (metadata_.fill_value.bits.empty())
    throw Error(
        ErrorKind::kUnsupported,
        fmt::format("fill value {} does not fit data type {}",
                    raw_json::excerpt(metadata_.fill_value.json), type.label()),
        "such an array can only be moved as stored: with the chunks "
        "and codecs that it has");
  layout_.item_bytes = type.item_bytes;
  layout_.scalars = type.scalars;
  layout_.fill = metadata_.fill_value.bits;
}

void LayoutBuilder::check_sizes() const {
  for (const Shape* shape :
       {&layout_.shape, &layout_.object_shape, &layout_.chunk_shape})
    checked_multiply(element_count(*shape), layout_.item_bytes);
}

// Chunks that are not whole are filled up with it, and a filter may not be able
// to hold it.
void LayoutBuilder::check_fill() const {
  std::vector<std::byte> fill = layout_.fill;
  for (const CodecSpec& codec : chain_) {
    if (codec_kind(codec.name) != CodecKind::kArrayToArray) return;
    const auto filter = make_codec(codec, layout_.item_bytes);
    std::vector<std::byte> encoded(static_cast<std::size_t>(
        filter->max_encoded_bytes(static_cast<std::int64_t>(fill.size()))));
    try {
      encoded.resize(static_cast<std::size_t>(filter->encode(fill, encoded)));
    } catch (const Error&) {
      cannot_decode(fmt::format("{} with fill value {}", codec.name,
                                raw_json::excerpt(metadata_.fill_value.json)));
    }
    fill = std::move(encoded);
  }
}

void LayoutBuilder::peel(const std::vector<CodecSpec>& codecs) {
  const CodecParts parts = split_codecs(codecs);
  check_middle(parts);
  apply_before(parts.before);
  if (!is_sharding(parts.middle)) return finish_chunk(parts);
  // Codecs around a shard would force reading and decoding it whole.
  if (!parts.after.empty())
    cannot_decode(
        fmt::format("codec {} on whole shards", parts.after.front().name));
  if (!chain_.empty())
    cannot_decode(fmt::format("codec {} on whole shards", chain_.front().name));
  const Sharding sharding = parse_sharding(parts.middle, rank_);
  add_shard_level(sharding);
  peel(sharding.codecs);
}

void LayoutBuilder::apply_before(const std::vector<CodecSpec>& codecs) {
  for (const CodecSpec& codec : codecs) {
    if (codec.name == "transpose") {
      layout_.axis_order = transposed(layout_.axis_order, codec);
    } else {
      if (metadata_.zarr_format == 3) check_stored_as_named(codec);
      chain_.push_back(codec);
    }
  }
}

// v3 applies filters to numbers, before the byte order is chosen; only v2
// defines them on the stored bytes. Little-endian ones are the same in both.
void LayoutBuilder::check_stored_as_named(const CodecSpec& codec) const {
  const bool is_big =
      std::any_of(layout_.scalars.begin(), layout_.scalars.end(),
                  [](const auto& scalar) { return scalar.big_endian; });
  // zarr-python does not see that this one may write another type.
  const bool changes_type =
      codec.name == "numcodecs.quantize" &&
      encoded_item_bytes(codec, layout_.item_bytes) != layout_.item_bytes;
  if (!is_known_codec(codec.name) || is_big || changes_type ||
      codec.configuration.find("\">") != std::string::npos)
    cannot_decode(codec.name);
}

void LayoutBuilder::add_shard_level(const Sharding& sharding) {
  ShardLevel level;
  level.axis_order = layout_.axis_order;
  level.chunk_shape.resize(rank_);
  level.chunk_counts.resize(rank_);
  for (std::size_t i = 0; i < rank_; ++i)
    // The codec's shape has its axes in the order after all transposes so far.
    level.chunk_shape[level.axis_order[i]] = sharding.chunk_shape[i];
  for (std::size_t axis = 0; axis < rank_; ++axis) {
    const std::int64_t whole = layout_.chunk_shape[axis];
    const std::int64_t part = level.chunk_shape[axis];
    if (whole % part != 0)
      corrupt(fmt::format("inner chunks {} do not divide shards {}",
                          to_string(level.chunk_shape),
                          to_string(layout_.chunk_shape)));
    level.chunk_counts[axis] = whole / part;
  }
  level.index_at_start = sharding.index_at_start;
  set_index_codecs(sharding, level);
  layout_.chunk_shape = level.chunk_shape;
  layout_.shards.push_back(std::move(level));
}

void LayoutBuilder::set_index_codecs(const Sharding& sharding,
                                     ShardLevel& level) const {
  const auto& codecs = sharding.index_codecs;
  // Readers ask for an index by its size. So no codec may change the size.
  if (codecs.empty() || codecs[0].name != "bytes" || codecs.size() > 2 ||
      (codecs.size() == 2 && codecs[1].name != "crc32c"))
    cannot_decode("a shard index encoded other than by bytes and crc32c: " +
                  raw_json::excerpt(format_codecs_v3(codecs)));
  level.index_has_crc32c = codecs.size() == 2;
  level.index_big_endian =
      raw_json::find(codecs[0].configuration, "endian") == "\"big\"";
  level.index_bytes =
      checked_add(checked_multiply(element_count(level.chunk_counts), 16),
                  level.index_has_crc32c ? 4 : 0);
}

/// One codec makes bytes of elements: it is "bytes", or one that is not known.
void LayoutBuilder::check_middle(const CodecParts& parts) const {
  if (!parts.middle.name.empty()) return;
  for (const CodecSpec& codec : parts.before)
    if (codec_kind(codec.name) == CodecKind::kUnknown)
      cannot_decode(codec.name);
  corrupt(
      "the codecs lack one that makes bytes of elements, such as \"bytes\"");
}

void LayoutBuilder::finish_chunk(const CodecParts& parts) {
  if (parts.middle.name != "bytes") cannot_decode(parts.middle.name);
  chain_.insert(chain_.end(), parts.after.begin(), parts.after.end());
}

}  // namespace

std::int64_t ArrayLayout::chunk_bytes() const {
  return checked_multiply(element_count(chunk_shape), item_bytes);
}

ArrayLayout make_layout(const ArrayMetadata& metadata) {
  return LayoutBuilder(metadata).build();
}

bool is_decodable(const ArrayMetadata& metadata) {
  try {
    make_layout(metadata);
    return true;
  } catch (const Error& error) {
    return false;
  }
}

std::string undecodable_part(const ArrayMetadata& metadata) {
  if (metadata.data_type.item_bytes == 0) return metadata.data_type.label();
  const CodecParts parts = innermost_codecs(metadata);
  // The name of a codec says more than the long text of an error.
  for (const auto& codecs : {parts.before, {parts.middle}, parts.after})
    for (const CodecSpec& codec : codecs)
      if (!codec.name.empty() && codec.name != "transpose" &&
          codec.name != "bytes" && !is_known_codec(codec.name))
        return codec.name;
  try {
    make_layout(metadata);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::optional<ShardLevel> outermost_shards(const ArrayMetadata& metadata) {
  return LayoutBuilder(metadata).build_shards();
}

}  // namespace rechunk

// Test data: random metadata and elements, and a reader that follows the Zarr
// specification element by element. Only tests include this. It shares no code
// with ArrayReader, ArrayWriter and ShardIndex, so that it can contradict them.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/random_testing.h"
#include "rechunk/store.h"
#include "zarr/chunks/array_writer.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/layout.h"

namespace rechunk {

// --- Metadata ---

/// A type as both formats say it, and a fill value.
struct SampleType {
  const char* v2;  ///< Without byte order, "" where v2 has no such type.
  const char* v3;
  const char* fill;
};

inline constexpr std::array<SampleType, 5> kSampleTypes{{
    {"i2", "int16", "-3"},
    {"f4", "float32", "\"NaN\""},
    {"f8", "float64", "0.0"},
    {"", "complex64", "[1.0, -2.5]"},
    {"u1", "uint8", "7"},
}};

/// Shards of shards of chunks: how many levels `random_metadata` may take.
enum class ShardDepth { kNever, kMaybe, kAlways, kNested };

inline std::string json_list(const std::vector<std::int64_t>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ","));
}

inline std::string random_bytes_codec(Random& random) {
  return fmt::format(R"({{"name":"bytes","configuration":{{"endian":"{}"}}}})",
                     pick(random, 0, 1) ? "big" : "little");
}

/// Bytes -> bytes codecs, each with a comma before it.
inline std::string random_compressor(Random& random) {
  switch (pick(random, 0, 4)) {
    case 0:
      return R"(,{"name":"zstd","configuration":{"level":1}})";
    case 1:
      return R"(,{"name":"blosc","configuration":{"cname":"lz4","clevel":3,)"
             R"("shuffle":"shuffle","blocksize":0}})";
    case 2:
      return R"(,{"name":"gzip","configuration":{"level":1}},"crc32c")";
    default:
      return "";
  }
}

/// The codecs of a box of that shape: its axes may be transposed, and it may
/// be cut into `shard_levels` levels of smaller boxes.
inline std::string random_codecs(Random& random, Shape box, int shard_levels) {
  std::string codecs;
  if (pick(random, 0, 2) == 0) {
    std::vector<std::int64_t> order(box.size());
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    const Shape before = box;
    for (std::size_t i = 0; i < order.size(); ++i)
      box[i] = before[static_cast<std::size_t>(order[i])];
    codecs =
        fmt::format(R"({{"name":"transpose","configuration":{{"order":{}}}}},)",
                    json_list(order));
  }
  if (shard_levels == 0)
    return codecs + random_bytes_codec(random) + random_compressor(random);
  for (std::int64_t& length : box) {
    std::int64_t divisor = pick(random, 1, length);
    while (length % divisor != 0) --divisor;
    length = divisor;
  }
  return codecs +
         fmt::format(R"({{"name":"sharding_indexed","configuration":{{)"
                     R"("chunk_shape":{},"codecs":[{}],"index_codecs":[{}{}],)"
                     R"("index_location":"{}"}}}})",
                     json_list(box),
                     random_codecs(random, box, shard_levels - 1),
                     random_bytes_codec(random),
                     pick(random, 0, 2) ? ",\"crc32c\"" : "",
                     pick(random, 0, 1) ? "start" : "end");
}

inline ArrayMetadata random_v2(Random& random, const Shape& shape,
                               const SampleType& type, const Shape& chunks) {
  constexpr std::array kCompressors{
      "null", R"({"id":"zlib","level":1})",
      R"({"id":"blosc","cname":"zstd","clevel":1,"shuffle":2,"blocksize":0})"};
  return parse_array_v2(
      fmt::format(R"({{"zarr_format":2,"shape":{},"chunks":{},)"
                  R"("dtype":"{}{}","fill_value":{},"order":"{}",)"
                  R"("filters":null,"compressor":{}}})",
                  json_list(shape), json_list(chunks),
                  pick(random, 0, 1) ? '>' : '<', type.v2, type.fill,
                  pick(random, 0, 1) ? 'F' : 'C',
                  kCompressors[static_cast<std::size_t>(pick(random, 0, 2))]),
      std::nullopt);
}

/// An array of that shape and type, otherwise anything: either format, any
/// order of axes and bytes, chunks that may be longer than the array.
inline ArrayMetadata random_metadata(Random& random, const Shape& shape,
                                     const SampleType& type,
                                     ShardDepth depth = ShardDepth::kMaybe) {
  Shape chunks;
  for (const std::int64_t length : shape)
    chunks.push_back(
        pick(random, 1, std::max<std::int64_t>(2, std::min(length + 2, 12L))));
  int levels = 0;
  if (depth == ShardDepth::kAlways) levels = 1;
  if (depth == ShardDepth::kNested) levels = 2;
  if (depth == ShardDepth::kMaybe)
    levels = std::max(0, static_cast<int>(pick(random, -1, 2)));
  if (levels == 0 && type.v2[0] && pick(random, 0, 1))
    return random_v2(random, shape, type, chunks);
  return parse_array_v3(fmt::format(
      R"({{"zarr_format":3,"node_type":"array","shape":{},"data_type":"{}",)"
      R"("chunk_grid":{{"name":"regular","configuration":{{"chunk_shape":{}}}}},)"
      R"("chunk_key_encoding":{{"name":"default"}},"fill_value":{},)"
      R"("codecs":[{}]}})",
      json_list(shape), type.v3, json_list(chunks), type.fill,
      random_codecs(random, chunks, levels)));
}

inline std::shared_ptr<const ArrayLayout> share_layout(
    const ArrayMetadata& metadata) {
  return std::make_shared<const ArrayLayout>(make_layout(metadata));
}

inline const SampleType& random_type(Random& random) {
  return kSampleTypes[static_cast<std::size_t>(
      pick(random, 0, static_cast<std::int64_t>(kSampleTypes.size()) - 1))];
}

/// Up to three axes, now and then none or an empty one.
inline Shape random_shape(Random& random) {
  Shape shape;
  for (std::int64_t axis = pick(random, 0, 3); axis > 0; --axis)
    shape.push_back(pick(random, 0, 25) ? pick(random, 1, 13) : 0);
  return shape;
}

inline Region random_region(Random& random, const Shape& shape) {
  Region region = whole(shape);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    region.start[axis] =
        pick(random, 0, std::max<std::int64_t>(0, shape[axis] - 1));
    region.stop[axis] =
        shape[axis] ? pick(random, region.start[axis] + 1, shape[axis]) : 0;
  }
  return region;
}

// --- Elements ---

/// The elements of a region in C order.
struct Elements {
  Region region;
  std::int64_t item_bytes = 1;
  Bytes bytes;

  Elements(Region of, std::int64_t item)
      : region(std::move(of)),
        item_bytes(item),
        bytes(static_cast<std::size_t>(element_count(region) * item)) {}

  std::byte* at(const Shape& element) {
    std::int64_t index = 0;
    for (std::size_t axis = 0; axis < element.size(); ++axis)
      index = index * (region.stop[axis] - region.start[axis]) +
              (element[axis] - region.start[axis]);
    return bytes.data() + index * item_bytes;
  }
  const std::byte* at(const Shape& element) const {
    return const_cast<Elements*>(this)->at(element);
  }
  void fill(const Region& part, const Bytes& element) {
    for_each_point(part, [&](const Shape& point) {
      std::memcpy(at(point), element.data(), element.size());
    });
  }
  friend bool operator==(const Elements&, const Elements&) = default;
};

/// Random elements; about a quarter of the chunks and a fifth of the objects
/// hold nothing but the fill value.
inline Elements random_elements(Random& random, const ArrayLayout& layout) {
  Elements elements(whole(layout.shape), layout.item_bytes);
  elements.bytes =
      random_bytes(random, static_cast<std::int64_t>(elements.bytes.size()));
  for (const auto& [cells, one_in] :
       {std::pair(layout.chunk_shape, 4), std::pair(layout.object_shape, 5)}) {
    const Grid grid(layout.shape, cells);
    for (std::int64_t cell = 0; cell < grid.cell_count(); ++cell)
      if (pick(random, 1, one_in) == 1)
        elements.fill(grid.cell(cell), layout.fill);
  }
  return elements;
}

/// The part of `elements` that lies in `region`, scalars in another order.
inline Elements converted(const Elements& elements, const Region& region,
                          const std::vector<DataType::Scalar>& from,
                          const std::vector<DataType::Scalar>& to) {
  Elements result(region, elements.item_bytes);
  for_each_point(region, [&](const Shape& point) {
    std::byte* item = result.at(point);
    std::memcpy(item, elements.at(point),
                static_cast<std::size_t>(elements.item_bytes));
    for (std::size_t i = 0; i < from.size(); item += from[i++].bytes)
      if (from[i].swappable && from[i].big_endian != to[i].big_endian)
        std::reverse(item, item + from[i].bytes);
  });
  return result;
}

/// First byte of an element of a decoded chunk.
inline std::int64_t offset_in_chunk(const ArrayLayout& layout,
                                    const Shape& within) {
  std::int64_t index = 0;
  for (const int axis : layout.axis_order)
    index = index * layout.chunk_shape[axis] + within[axis];
  return index * layout.item_bytes;
}

/// A whole chunk, padded with fill.
inline Bytes chunk_of(const Elements& elements, const ArrayLayout& layout,
                      const Shape& start) {
  Bytes bytes(static_cast<std::size_t>(layout.chunk_bytes()));
  for_each_point(whole(layout.chunk_shape), [&](const Shape& within) {
    Shape element = start;
    bool inside = true;
    for (std::size_t axis = 0; axis < element.size(); ++axis) {
      element[axis] += within[axis];
      inside &= element[axis] < layout.shape[axis];
    }
    std::memcpy(bytes.data() + offset_in_chunk(layout, within),
                inside ? elements.at(element) : layout.fill.data(),
                layout.fill.size());
  });
  return bytes;
}

/// Writes all objects through `writer`.
inline void write_elements(const ArrayWriter& writer, const Elements& elements,
                           Arena& arena, StageReport& report) {
  const ArrayLayout& layout = writer.layout();
  const Grid& objects = writer.objects();
  Bytes chunk;
  const ChunkBytes chunks = [&](const Shape& start) {
    chunk = chunk_of(elements, layout, start);
    return std::span<const std::byte>(chunk);
  };
  for (std::int64_t index = 0; index < objects.cell_count(); ++index) {
    const Shape object = objects.coordinates(index);
    const ArenaScope scope(arena);
    if (layout.shards.empty()) {
      writer.write_chunk(object, chunks(objects.cell(object).start), arena,
                         report);
      continue;
    }
    const auto shard = writer.open_shard(object, arena);
    shard->append(objects.cell(object), chunks, arena, report);
    shard->finish(report);
  }
}

// --- Reading by the specification ---

inline Bytes read_object(const Store& store, const std::string& key) {
  const auto text = read_text(store, key);
  if (!text) return {};
  const auto* begin = reinterpret_cast<const std::byte*>(text->data());
  return Bytes(begin, begin + text->size());
}

inline std::uint64_t load_number(std::span<const std::byte> bytes,
                                 bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value = value << 8 |
            std::to_integer<std::uint64_t>(bytes[big_endian ? i : 7 - i]);
  return value;
}

/// Decodes a chunk (`level` = shards.size()) or a shard that starts at an
/// element.
inline void decode_box(const ArrayLayout& layout, std::size_t level,
                       const Shape& start, std::span<const std::byte> bytes,
                       Elements& elements) {
  if (level == layout.shards.size()) {
    Bytes decoded(static_cast<std::size_t>(layout.chunk_bytes()));
    Bytes buffer(static_cast<std::size_t>(
        layout.codecs.buffer_bytes(layout.chunk_bytes())));
    layout.codecs.decode(bytes, decoded, buffer);
    const Region box = clipped_box(start, layout.chunk_shape, layout.shape);
    for_each_point(box, [&](const Shape& element) {
      Shape within = element;
      for (std::size_t axis = 0; axis < within.size(); ++axis)
        within[axis] -= start[axis];
      std::memcpy(elements.at(element),
                  decoded.data() + offset_in_chunk(layout, within),
                  layout.fill.size());
    });
    return;
  }
  const ShardLevel& shard = layout.shards[level];
  const auto index_bytes = static_cast<std::size_t>(shard.index_bytes);
  const auto index =
      shard.index_at_start ? bytes.first(index_bytes) : bytes.last(index_bytes);
  for_each_point(whole(shard.chunk_counts), [&](const Shape& inner) {
    std::size_t number = 0;
    for (const int axis : shard.axis_order)
      number = number * static_cast<std::size_t>(shard.chunk_counts[axis]) +
               static_cast<std::size_t>(inner[axis]);
    const auto entry = index.subspan(16 * number, 16);
    const auto offset = load_number(entry, shard.index_big_endian);
    const auto size = load_number(entry.last(8), shard.index_big_endian);
    if (offset == ~std::uint64_t{0} && size == offset) return;
    decode_box(layout, level + 1, element_at(start, inner, shard.chunk_shape),
               bytes.subspan(offset, size), elements);
  });
}

/// All elements as they are stored; absent ones are fill.
inline Elements stored_elements(const Store& store, const std::string& path,
                                const ArrayLayout& layout) {
  Elements elements(whole(layout.shape), layout.item_bytes);
  elements.fill(elements.region, layout.fill);
  const Grid objects(layout.shape, layout.object_shape);
  for (std::int64_t index = 0; index < objects.cell_count(); ++index) {
    const Shape object = objects.coordinates(index);
    const Bytes bytes = read_object(
        store, join_key(path, chunk_key(layout.key_encoding, object)));
    if (!bytes.empty())
      decode_box(layout, 0, objects.cell(object).start, bytes, elements);
  }
  return elements;
}

}  // namespace rechunk

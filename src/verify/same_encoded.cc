#include "verify/same_encoded.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "exec/read_pieces.h"
#include "exec/run_plan.h"
#include "rechunk/error.h"
#include "verify/read_regions.h"
#include "zarr/chunks/encoded_layout.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {
namespace {

constexpr std::int64_t kBufferBytes = 256 << 10;

/// Where an encoded chunk lies.
struct Place {
  std::string key;
  std::int64_t offset = 0, bytes = 0;
};

/// The chunks of one array; used by one thread.
class EncodedChunks {
 public:
  EncodedChunks(const StoredArray& array, const EncodedLayout& layout,
                Arena& arena)
      : array_(array),
        layout_(layout),
        index_(arena.take(layout.shard ? layout.shard->index_bytes : 0)) {}

  const Store& store() const { return *array_.store; }

  void open(const Shape& object) {
    object_ = object;
    key_ = join_key(array_.path, chunk_key(layout_.key_encoding, object));
    ReadRequest request{.key = key_};
    if (layout_.shard) request = index_request(*layout_.shard, key_, index_);
    with_context([&] { store().read_one(request); }, place_text());
    found_ = request.found;
    bytes_ = request.object_bytes;
    if (layout_.shard)
      with_context([&] { checked_index(*layout_.shard, request); },
                   place_text());
  }

  std::optional<Place> find(const Shape& chunk) const {
    if (!found_) return std::nullopt;
    if (!layout_.shard) return Place{key_, 0, bytes_};
    const ShardIndex index(*layout_.shard, index_);
    const auto entry = with_context(
        [&] {
          return index.entry(index.position(layout_.within(object_, chunk)),
                             bytes_);
        },
        place_text());
    if (!entry) return std::nullopt;
    return Place{key_, entry->offset, entry->bytes};
  }

 private:
  std::function<std::string()> place_text() const {
    return [this] { return "reading " + store().describe(key_); };
  }

  const StoredArray& array_;
  const EncodedLayout& layout_;
  std::span<std::byte> index_;
  Shape object_;
  std::string key_;
  bool found_ = false;
  std::int64_t bytes_ = 0;
};

bool same_bytes(const Store& store_a, const Place& a, const Store& store_b,
                const Place& b, Arena& arena) {
  if (a.bytes != b.bytes) return false;
  const ArenaScope scope(arena);
  // Both are read piece by piece, because chunks may have any size.
  const auto buffer_a = arena.take(kBufferBytes);
  const auto buffer_b = arena.take(kBufferBytes);
  bool same = true;
  std::int64_t done = 0;
  const auto compare = [&](std::span<const std::byte> piece, std::int64_t) {
    const auto bytes = static_cast<std::int64_t>(piece.size());
    const auto found =
        read_pieces(store_b, b.key, {b.offset + done, bytes}, buffer_b,
                    [&](std::span<const std::byte> other, std::int64_t) {
                      same = same && std::equal(piece.begin(), piece.end(),
                                                other.begin(), other.end());
                    });
    same = same && found;
    done += bytes;
  };
  return read_pieces(store_a, a.key, {a.offset, a.bytes}, buffer_a, compare) &&
         same;
}

using Objects = std::map<std::string, std::int64_t>;

/// Sizes of all objects below an array, by key, without its own documents.
Objects objects_below(const Store& store, const std::string& path) {
  Objects objects;
  store.list(path, [&](std::string_view key, std::int64_t bytes) {
    const std::string name(key);
    if (is_document(name) &&
        (name == join_key(path, name.substr(name.rfind('/') + 1))))
      return;
    objects.emplace(name, bytes);
  });
  return objects;
}

/// Objects as they are, whatever is in them.
EncodedLayout object_layout(const ArrayMetadata& array) {
  const Grid objects(array.shape, array.chunks);
  return {.objects = objects,
          .chunks = objects,
          .key_encoding = array.key_encoding};
}

/// Both arrays in chunks that can be compared.
std::pair<EncodedLayout, EncodedLayout> common_layouts(const ArrayMetadata& a,
                                                       const ArrayMetadata& b) {
  if (same_encoding(a, b)) return {object_layout(a), object_layout(b)};
  return {encoded_layout(a), encoded_layout(b)};
}

}  // namespace

std::int64_t same_encoded_bytes(const ArrayMetadata& a,
                                const ArrayMetadata& b) {
  const auto [layout_a, layout_b] = common_layouts(a, b);
  return layout_a.index_bytes() + layout_b.index_bytes() + 2 * kBufferBytes;
}

bool same_encoded(const StoredArray& a, const StoredArray& b,
                  const ReadOptions& options) {
  const auto layouts = common_layouts(a.metadata, b.metadata);
  const EncodedLayout &of_a = layouts.first, &of_b = layouts.second;
  const std::int64_t bytes = same_encoded_bytes(a.metadata, b.metadata);
  std::atomic<bool> same = true;
  const auto compare = [&](const Region& chunks, const EncodedChunks& chunks_a,
                           const EncodedChunks& chunks_b, Arena& arena) {
    for_each_point(chunks, [&](const Shape& chunk) {
      const auto place_a = chunks_a.find(chunk), place_b = chunks_b.find(chunk);
      if (place_a.has_value() != place_b.has_value() ||
          (place_a &&
           !same_bytes(*a.store, *place_a, *b.store, *place_b, arena)))
        same = false;
    });
  };
  const ChosenRegions chosen(of_a.objects.cell_count(), options.sample);
  run_indexed(chosen.count(), threads_within(options, bytes), bytes,
              options.budget, options.stop,
              [&](std::int64_t number, Arena& arena) {
                const std::int64_t index = chosen[number];
                const ArenaScope scope(arena);
                EncodedChunks chunks_a(a, of_a, arena);
                EncodedChunks chunks_b(b, of_b, arena);
                const Region cell = of_a.objects.cell(index);
                chunks_a.open(of_a.objects.coordinates(index));
                for_each_point(
                    of_b.objects.cells_touching(cell), [&](const Shape& other) {
                      chunks_b.open(other);
                      compare(of_a.chunks.cells_touching(
                                  intersect(cell, of_b.objects.cell(other))),
                              chunks_a, chunks_b, arena);
                    });
              });
  return same;
}

std::string difference_as_stored(const Store& a, const Store& b,
                                 const std::string& path,
                                 const ReadOptions& options) {
  const Objects of_a = objects_below(a, path), of_b = objects_below(b, path);
  for (const auto& [key, bytes] : of_a)
    if (!of_b.contains(key)) return "only the first has " + key;
  for (const auto& [key, bytes] : of_b)
    if (!of_a.contains(key)) return "only the second has " + key;
  std::vector<std::string> keys;
  for (const auto& [key, bytes] : of_a) keys.push_back(key);
  // Not `bool`: threads write to neighbours at the same time.
  std::vector<char> same(keys.size(), 1);
  const ChosenRegions chosen(std::ssize(keys), options.sample);
  const std::int64_t bytes = 2 * kBufferBytes;
  run_indexed(chosen.count(), threads_within(options, bytes), bytes,
              options.budget, options.stop,
              [&](std::int64_t number, Arena& arena) {
                const std::int64_t index = chosen[number];
                const std::string& key = keys[index];
                same[index] = same_bytes(a, {key, 0, of_a.at(key)}, b,
                                         {key, 0, of_b.at(key)}, arena);
              });
  const auto other = std::find(same.begin(), same.end(), 0);
  return other == same.end()
             ? ""
             : keys[other - same.begin()] + " differs as it is stored";
}

}  // namespace rechunk

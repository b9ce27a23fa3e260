#include "zarr/chunks/misplaced_chunks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "rechunk/error.h"
#include "rechunk/shape.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
namespace {

/// Keys that are tried before an array is listed: the first, the last, and some
/// between them.
constexpr std::int64_t kMaxProbes = 64;

/// The coordinates that a key below an array names; nothing if it names none.
std::optional<Shape> coordinates_of(std::string_view key,
                                    const ChunkKeyEncoding& encoding,
                                    std::size_t rank) {
  if (!encoding.v2) {
    if (!key.starts_with('c')) return {};
    key.remove_prefix(1);
    if (rank == 0) return key.empty() ? std::optional(Shape()) : std::nullopt;
    if (key.empty() || key[0] != encoding.separator) return {};
    key.remove_prefix(1);
  } else if (rank == 0) {
    return key == "0" ? std::optional(Shape()) : std::nullopt;
  }
  Shape coordinates;
  const char *at = key.data(), *end = at + key.size();
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::int64_t number = -1;
    if (axis > 0 && (at == end || *at++ != encoding.separator)) return {};
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number < 0) return {};
    coordinates.push_back(number);
    at = stop;
  }
  return at == end ? std::optional(coordinates) : std::nullopt;
}

class ChunkKeys {
 public:
  ChunkKeys(const std::string& path, const ArrayMetadata& array)
      : path_(path), array_(array), grid_(array.shape, array.chunks) {}

  /// The first, the last and some between them; none of an empty array.
  std::vector<std::string> some() const {
    const std::int64_t count = std::min(grid_.cell_count(), kMaxProbes);
    std::vector<std::string> keys;
    for (std::int64_t i = 0; i < count; ++i) {
      // In floating point, because the product of integers could overflow.
      const std::int64_t index =
          count == 1
              ? 0
              : static_cast<std::int64_t>(
                    static_cast<double>(grid_.cell_count() - 1) *
                    static_cast<double>(i) / static_cast<double>(count - 1));
      keys.push_back(join_key(
          path_, chunk_key(array_.key_encoding, grid_.coordinates(index))));
    }
    return keys;
  }

  /// True if the key below the array is one of its chunks by that encoding.
  bool names_chunk(std::string_view key,
                   const ChunkKeyEncoding& encoding) const {
    const auto found = coordinates_of(key, encoding, array_.shape.size());
    if (!found) return false;
    for (std::size_t axis = 0; axis < found->size(); ++axis)
      if ((*found)[axis] >= grid_.counts()[axis]) return false;
    return true;
  }

 private:
  const std::string& path_;
  const ArrayMetadata& array_;
  Grid grid_;
};

std::string where_separators_stand(const ArrayMetadata& array,
                                   const ChunkKeyEncoding& fitting) {
  if (array.zarr_format == 2)
    return fmt::format(
        "they fit with \"dimension_separator\": \"{}\" in its .zarray",
        fitting.separator);
  return fmt::format(
      "they fit with the chunk key encoding \"{}\" and the separator \"{}\" in "
      "its zarr.json",
      fitting.v2 ? "v2" : "default", fitting.separator);
}

void check_listing(const Store& store, const std::string& path,
                   const ArrayMetadata& array) {
  const ChunkKeys keys(path, array);
  bool right = false;
  std::string misplaced;
  std::optional<ChunkKeyEncoding> fitting;
  store.list(path, [&](std::string_view key, std::int64_t) {
    if (right) return;
    const std::string_view below =
        path.empty() ? key : key.substr(std::min(key.size(), path.size() + 1));
    right = keys.names_chunk(below, array.key_encoding);
    if (right || fitting) return;
    for (const bool v2 : {true, false})
      for (const char separator : {'.', '/'})
        // Arrays of v2 have only one form of keys.
        if ((v2 || array.zarr_format == 3) && !fitting &&
            keys.names_chunk(below, {v2, separator})) {
          fitting = {v2, separator};
          misplaced = below;
        }
  });
  if (right || !fitting) return;
  const auto coordinates =
      coordinates_of(misplaced, *fitting, array.shape.size());
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format("reading {}: its chunks lie under other keys than its "
                  "metadata says: \"{}\" instead of \"{}\"",
                  store.describe(path), misplaced,
                  chunk_key(array.key_encoding, *coordinates)),
      where_separators_stand(array, *fitting));
}

}  // namespace

// 1. Most arrays have their first chunk.
// 2. Of the others, more keys are tried.
// 3. An array may be sparse and have none of these. Only a listing can tell.
ObjectsSeen check_chunk_keys(const Store& store, const Hierarchy& hierarchy) {
  ObjectsSeen seen;
  for (const std::size_t most : {std::size_t{1}, std::size_t{kMaxProbes}}) {
    std::vector<std::string> paths, keys;
    for (const auto& [path, array] : hierarchy.arrays) {
      if (seen.contains(path) || element_count(array.shape) == 0) continue;
      auto some = ChunkKeys(path, array).some();
      some.resize(std::min(some.size(), most));
      for (std::string& key : some) {
        paths.push_back(path);
        keys.push_back(std::move(key));
      }
    }
    const auto found = have_objects(store, keys);
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (found[i]) seen.emplace(paths[i], keys[i]);
  }
  if (!store.can_list()) return seen;
  for (const auto& [path, array] : hierarchy.arrays)
    if (!seen.contains(path) && element_count(array.shape) > 0)
      check_listing(store, path, array);
  return seen;
}

}  // namespace rechunk

// Keys of a hierarchy: documents of nodes, their paths, what lies below them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "rechunk/store.h"

namespace rechunk {

/// The names of metadata documents: one of v3, four of v2.
inline constexpr std::string_view kDocumentNames[] = {
    "zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata"};

/// The first of these: a node that has one is an array or a group.
inline constexpr std::span<const std::string_view> kNodeDocumentNames(
    kDocumentNames, 3);

/// The key of the document that makes a node an array.
inline std::string array_document_key(const std::string& path,
                                      int zarr_format) {
  return join_key(path, zarr_format == 3 ? "zarr.json" : ".zarray");
}

/// "a/b" of "a/b/.zarray"; "" of ".zarray".
inline std::string key_parent(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  return std::string(
      key.substr(0, slash == std::string_view::npos ? 0 : slash));
}

/// ".zarray" of "a/b/.zarray".
inline std::string_view key_name(std::string_view key) {
  return key.substr(key.rfind('/') + 1);  // npos + 1 is 0.
}

/// 2 of "a/b/.zarray".
inline std::int64_t key_depth(std::string_view key) {
  return std::count(key.begin(), key.end(), '/');
}

/// An order in which a node comes before what lies below it.
inline bool outer_key_first(std::string_view a, std::string_view b) {
  const std::int64_t depth_a = key_depth(a), depth_b = key_depth(b);
  return depth_a != depth_b ? depth_a < depth_b : a < b;
}

}  // namespace rechunk

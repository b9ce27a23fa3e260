// Parts of keys of a hierarchy: paths of nodes, and what lies below them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace rechunk {

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

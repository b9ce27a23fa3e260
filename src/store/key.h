// Which texts are keys of objects.
#pragma once

#include <algorithm>
#include <string_view>

namespace rechunk {

/// True for a path below the store: no part is empty, "." or "..", or has a
/// zero byte.
inline bool is_key(std::string_view text) {
  for (std::size_t begin = 0;;) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    if (part.empty() || part == "." || part == ".." ||
        part.find('\0') != std::string_view::npos)
      return false;
    if (end == text.size()) return true;
    begin = end + 1;
  }
}

}  // namespace rechunk

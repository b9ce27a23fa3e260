// What messages call an array.
#pragma once

#include <string>

namespace rechunk {

/// "array air/t"; "the array" where the path is "", the root.
inline std::string array_label(const std::string& path) {
  return path.empty() ? "the array" : "array " + path;
}

}  // namespace rechunk

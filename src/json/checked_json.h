// JSON from another process, or from anybody. nlohmann's values are not checked
// when they are converted: a fraction beyond 64 bits becomes an undefined
// integer, and copying or writing a deep value exhausts the stack.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "rechunk/error.h"

namespace rechunk {

/// Parses JSON that is at most 64 levels deep and whose fractions convert to
/// integers. Throws: corrupt; what `Json` throws for text that is no JSON.
template <class Json>
Json parse_checked(std::string_view text) {
  constexpr int kMaxDepth = 64;
  constexpr double kExact = 9007199254740992.0;  // 2^53
  return Json::parse(text, [](int depth, auto, const Json& value) {
    if (depth > kMaxDepth)
      throw Error(ErrorKind::kCorrupt, "reading JSON: nested too deeply");
    if (value.is_number_float() &&
        !(std::fabs(value.template get<double>()) <= kExact))
      throw Error(ErrorKind::kCorrupt, "reading JSON: a number out of range");
    return true;
  });
}

}  // namespace rechunk

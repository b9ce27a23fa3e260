// Hashes of texts, to detect changes of plans and records.
#pragma once

#include <string>
#include <string_view>

namespace rechunk {

/// 32 hex digits; protects against damage and mistakes, not against malice.
std::string text_hash(std::string_view text);

}  // namespace rechunk

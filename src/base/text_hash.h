// Hashes of texts, for plans and records that must be as they were written.
#pragma once

#include <string>
#include <string_view>

namespace rechunk {

/// 32 hex digits; protects against damage and mistakes, not against malice.
std::string text_hash(std::string_view text);

}  // namespace rechunk

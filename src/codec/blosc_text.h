// What people and documents say of blosc, for its row (codec_row.h).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "codec/codec_row.h"

namespace rechunk {

std::string blosc_from_words(const CodecWords& words);
CodecSpec chosen_blosc(nlohmann::ordered_json members);

/// Throws: corrupt (a shuffle that blosc does not have).
std::string blosc_from_v2(std::string_view json, std::int64_t item_bytes);
/// Throws: unsupported (a shuffle that blosc does not have).
std::string blosc_to_v2(std::string_view configuration);

/// Adds the typesize, which v3 must have.
std::string completed_blosc(std::string_view configuration,
                            std::int64_t item_bytes);
/// Without shuffling, the typesize means nothing.
std::string canonical_blosc(std::string_view configuration);

}  // namespace rechunk

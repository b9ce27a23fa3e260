// Words of short forms, such as "blosc:lz4:5:bitshuffle", for the rows of
// codecs. Pure functions. Defined in codec_spec_text.cc.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "codec/codec_row.h"

namespace rechunk {

/// The word at that place as an integer; `preset` if there are fewer words.
/// Throws: invalid_argument (no integer from `lowest` to `highest`).
int level_word(const CodecWords& words, std::size_t index, int preset,
               IntegerRange range);

/// The word at that place; `preset` if there are fewer words.
/// Throws: invalid_argument (none of `choices`).
std::string choice_word(const CodecWords& words, std::size_t index,
                        std::string_view preset,
                        std::span<const std::string_view> choices);

/// The members, those of `presets` added that are not there.
nlohmann::ordered_json with_presets(nlohmann::ordered_json members,
                                    const nlohmann::ordered_json& presets);

/// Throws: invalid_argument, with a hint that shows the forms of all codecs.
[[noreturn]] void refuse_codec_text(const std::string& cause);

}  // namespace rechunk

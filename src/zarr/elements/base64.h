// Base64 as Zarr uses it for fill values: the standard alphabet, padded.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rechunk {

std::string to_base64(std::span<const std::byte> bytes);

/// Nothing if the text is not base64.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace rechunk

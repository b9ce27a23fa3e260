// Sizes in bytes as people write them. MB is 10^6 bytes, MiB is 2^20.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rechunk {

/// "2GiB", "500 MB", "1e6", "1.5k", "4096": a bare number is bytes; units in
/// any case, with or without "B". Throws: invalid_argument (not a size,
/// negative, beyond 2^63).
std::int64_t parse_byte_size(std::string_view text);

/// For people: "1.5 GiB", "117 KiB", "12 B".
std::string format_byte_size(std::int64_t bytes);

/// At least that many bytes, in few digits that parse_byte_size takes: "14MiB"
/// of 14,336,634.
std::string round_up_byte_size(std::int64_t bytes);

}  // namespace rechunk

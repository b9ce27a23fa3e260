// Fill values: from the JSON token to the bits of one element and back. Tokens
// follow the rules of v2 and v3, and the habits of writers. They have the same
// meaning as in zarr-python. Pure functions. Part: fill_value_text.cc (from
// bits to a token).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zarr/elements/data_type.h"

namespace rechunk {

/// A fill value: its token in the metadata, and the element that this means.
struct FillValue {
  std::string json = "null";    ///< JSON text, verbatim.
  std::vector<std::byte> bits;  ///< One element in the array's byte order;
                                ///< zeros for null; empty if not understood.
};

/// Elements beyond this are not decoded, nor are their fill values.
inline constexpr std::int64_t kMaxFillBytes = 1 << 20;

/// The token and its element in the byte order of `type`. The number 0 is zeros
/// for every type. So is null, except for times: there it is NaT, as in
/// zarr-python. `bits` stays empty if the type has no such value or no fixed
/// size.
FillValue parse_fill_value(std::string_view json, const DataType& type,
                           int zarr_format);

/// The token for an array of the other format that has the same bits. Tokens
/// that both formats read in the same way stay verbatim. In v3, which has no
/// undefined values, null becomes its element. Throws: unsupported (v2 cannot
/// say NaN payloads; the token was not understood).
FillValue convert_fill_value(const FillValue& fill, const DataType& type,
                             int zarr_format);

/// The same element in a token that every reader of the format understands.
/// (`fill` may have "1e37" or true for a number, or 0 for text.) Unknown tokens
/// stay.
FillValue standard_fill_value(const FillValue& fill, const DataType& type,
                              int zarr_format);

/// One element for people: numbers, booleans and text as JSON; else its bytes
/// in hex.
std::string describe_element(std::span<const std::byte> element,
                             const DataType& type);

}  // namespace rechunk

// The missing value of arrays that xarray opens, from v2 to v3 and back.
//
// In v2 xarray takes the fill value for its missing value; in v3 it takes the
// attribute `_FillValue`, and the fill value means nothing to it. rechunk keeps
// what xarray sees. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "zarr/documents/metadata.h"

namespace rechunk {

inline constexpr std::string_view kFillValueAttribute = "_FillValue";

/// True if xarray finds the names of the array's dimensions.
bool opened_by_xarray(const ArrayMetadata& metadata);

/// The attributes of a v2 array as they are in v3: with its missing value as
/// `_FillValue`, in xarray's spelling. Without this attribute if there is no
/// missing value, or if xarray could not read it (texts, bytes and times).
std::string attributes_in_v3(const ArrayMetadata& source);

/// Fill value and attributes of a v3 array as they are in v2. If there is no
/// `_FillValue`, the fill value is null, or NaN if that is v3's fill value.
std::pair<FillValue, std::string> fill_value_in_v2(const ArrayMetadata& source);

}  // namespace rechunk

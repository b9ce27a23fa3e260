// Objects that are stores themselves: a place that ends in .zip is an archive
// in the store above it, wherever that is.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rechunk/store.h"

namespace rechunk {

/// True for names that zip archives have: "x.zip", "x.ozx".
bool names_zip(std::string_view place);

/// Opens "a/x.zip", or "a/x.zip/group", if a/x.zip is an object; nullptr if it
/// is not, so that folders may have such names. `references_below`: see
/// reference_places.h. Throws: as open_store, and as the stores do.
std::shared_ptr<Store> open_archive(
    const std::string& url, const StorageOptions& options,
    const std::vector<std::string>& references_below);

}  // namespace rechunk

// Files of a target that are no Zarr: they stay where the target is replaced.
#pragma once

#include <string>
#include <vector>

#include "rechunk/store.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// The files and links below a local folder that belong to no array and no
/// group of it, sorted. Links are not followed; those that lead to an array or
/// group are none of these. An absent folder has none.
/// Throws: invalid_argument (a run within it is unfinished), io.
std::vector<std::string> foreign_files(const std::string& folder);

/// The same of any store, whose listing follows links.
std::vector<std::string> foreign_files(const Store& store);

/// Throws: invalid_argument (names them) if any stand where arrays or groups of
/// the hierarchy will be.
void check_out_of_the_way(const std::vector<std::string>& files,
                          const Hierarchy& hierarchy, const std::string& place);

/// Erases all that is Zarr, documents first, outermost first, and nothing else
/// but chunks of `hierarchy`, whose documents may not be there yet. Spares keys
/// that start with `spared_prefix`. Throws: io.
void erase_zarr(Store& store, const Hierarchy& hierarchy,
                std::string_view spared_prefix);

}  // namespace rechunk

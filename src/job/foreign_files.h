// Files of a target that are not Zarr. They stay when the target is replaced.
#pragma once

#include <string>
#include <vector>

#include "rechunk/store.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// The files and links below a local folder that belong to none of its arrays
/// and groups, sorted. Links are not followed; a link to an array or group is
/// not listed. An absent folder has none.
/// Throws: invalid_argument (a run in it is unfinished), io.
std::vector<std::string> foreign_files(const std::string& folder);

/// The same of any store, whose listing follows links.
std::vector<std::string> foreign_files(const Store& store);

/// Throws: invalid_argument (names them) if any of them are in the place of an
/// array or group of the hierarchy.
void check_out_of_the_way(const std::vector<std::string>& files,
                          const Hierarchy& hierarchy, const std::string& place);

/// Erases Zarr data only: documents first, outermost first. Also erases chunks
/// of `hierarchy`, whose documents may not exist yet. Keeps keys that start
/// with `spared_prefix`. Throws: io.
void erase_zarr(Store& store, const Hierarchy& hierarchy,
                std::string_view spared_prefix);

}  // namespace rechunk

// The names of dimensions that users may use for chunks. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// The names of an array's dimensions, "" for an unnamed one; empty if the
/// array names none.
std::vector<std::string> dimension_names_of(const ArrayMetadata& metadata);

/// The names of all arrays of a hierarchy. Those of images (OME-Zarr) have none
/// of their own before version 0.5: a group lists them with their axes in its
/// attribute "multiscales".
class DimensionNames {
 public:
  explicit DimensionNames(const Hierarchy& hierarchy);

  /// The array's own names, or those of its image's axes; empty if there are
  /// none.
  std::vector<std::string> of(const std::string& path,
                              const ArrayMetadata& array) const;

 private:
  std::map<std::string, std::vector<std::string>> axes_;  ///< By array.
};

/// The existing names, for messages: "its dimensions are: lat, lon".
std::string list_dimensions(const DimensionNames& names,
                            const Hierarchy& hierarchy);

}  // namespace rechunk

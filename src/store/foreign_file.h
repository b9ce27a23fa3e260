// Names the format of a file that is in the place of a Zarr array or group, and
// how to read it.
#pragma once

#include <string>

namespace rechunk {

/// Throws: invalid_argument if `path` is a regular file; names its format.
void refuse_file(const std::string& path);

}  // namespace rechunk

// Files where a Zarr array or group was expected: what they are, and how to
// read them.
#pragma once

#include <string>

namespace rechunk {

/// Throws: invalid_argument if a regular file stands at `path`; names its
/// format.
void refuse_file(const std::string& path);

}  // namespace rechunk

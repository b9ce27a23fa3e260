// Hidden folders beside targets, in which runs of rechunk keep intermediates
// and unfinished targets. They may be inside a hierarchy.
#pragma once

#include <string_view>

namespace rechunk {

/// True if a part of the key, but for the last, is the name of such a folder:
/// "a/.t.rechunk-temp/0/1", "a/.t.rechunk-new/1/zarr.json".
bool lies_in_own_folder(std::string_view key);

}  // namespace rechunk

// What a target looks like: the source's hierarchy with the layout that the
// options ask for. No I/O.
#pragma once

#include "rechunk/rechunk.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// Throws: invalid_argument (chunks that name no dimension of any array, an
/// --array that does not exist), unsupported (an array that would have to be
/// decoded cannot be, or the format cannot express it).
Hierarchy make_target_hierarchy(const Hierarchy& source,
                                const Options& options);

/// Arrays that keep their chunks or codecs, since they cannot be decoded,
/// although the options ask for others; and all that are unread.
std::vector<NotRechunked> left_as_stored(const Hierarchy& source,
                                         const Options& options);

}  // namespace rechunk

// Makes the target's hierarchy: the source's, with the layout of the options.
// No I/O.
#pragma once

#include "rechunk/notes.h"
#include "rechunk/options.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// Throws: invalid_argument (chunks that name no dimension of any array, an
/// array that does not exist), unsupported (an array that must be decoded
/// cannot be decoded, or the format cannot express it).
Hierarchy make_target_hierarchy(const Hierarchy& source,
                                const Options& options);

/// Arrays that keep their chunks or codecs although the options ask for others,
/// because they cannot be decoded; and all unread arrays.
std::vector<NotRechunked> left_as_stored(const Hierarchy& source,
                                         const Options& options);

}  // namespace rechunk

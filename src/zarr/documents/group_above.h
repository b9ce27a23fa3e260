// The groups that a target lies in: readers look for it from there.
#pragma once

#include "rechunk/store.h"

namespace rechunk {

/// The Zarr format of the nearest group above, the only one in which its
/// readers see the target. 0: there is no group, or it has both formats.
int format_above(const Store& target);

/// The format for the target: that of the group above, else `asked`, which is
/// 0 for that of the source.
/// Throws: invalid_argument if another one is asked for than that of the group.
int format_for(const Store& target, int asked);

/// Rebuilds the consolidated metadata of all groups above, where there is some.
void consolidate_above(const Store& target);

}  // namespace rechunk

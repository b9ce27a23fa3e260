// The groups above a target. Readers find the target from there.
#pragma once

#include "rechunk/store.h"

namespace rechunk {

/// The Zarr format of the nearest group above. Its readers see the target only
/// in this format. 0: there is no group, or it has both formats.
int format_above(const Store& target);

/// The format for the target: that of the group above (`above`, as
/// `format_above` says), else `asked` (0: that of the source).
/// Throws: invalid_argument if `asked` differs from the group's format.
int format_for(const Store& target, int asked, int above);

/// Rebuilds the consolidated metadata of all groups above that have some.
/// Throws: io, corrupt (any array or group below these).
void consolidate_above(const Store& target);

}  // namespace rechunk

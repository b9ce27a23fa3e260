// Compares arrays that both sides of an append or a region have and that the
// run does not write. If they differed, the written data would have another
// meaning.
#pragma once

#include <string>

#include "job/planned_job.h"

namespace rechunk {

/// Compares all elements. Numbers are compared as numbers, also between types;
/// NaN equals NaN. False if that is not possible: the arrays do not fit into a
/// quarter of the budget, or cannot be decoded and are stored in different
/// forms.
/// Throws: invalid_argument (names the first difference), and what reading
/// throws. Requires: equal shapes.
bool compare_kept_array(const PlannedJob& job, const std::string& path,
                        const ArrayMetadata& source,
                        const ArrayMetadata& target);

}  // namespace rechunk

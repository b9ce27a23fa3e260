// Arrays that both sides of an append or a region have, and that stay as they
// are: what is written would mean something else if they differed.
#pragma once

#include <string>

#include "job/planned_job.h"

namespace rechunk {

/// Compares all elements: numbers as numbers, whatever their types; NaN equals
/// NaN. False where that is not possible: the arrays do not fit a quarter of
/// the budget, or cannot be decoded and are stored in different ways.
/// Throws: invalid_argument (names the first difference), and what reading
/// throws. Requires: equal shapes.
bool compare_kept_array(const PlannedJob& job, const std::string& path,
                        const ArrayMetadata& source,
                        const ArrayMetadata& target);

}  // namespace rechunk

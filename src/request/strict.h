// With `strict`, what would be noted is an error.
#pragma once

#include "rechunk/rechunk.h"

namespace rechunk {

/// Throws: invalid_argument, with all notes, where the options are strict and
/// there are any.
void refuse_notes(const Options& options, const Notes& notes);

}  // namespace rechunk

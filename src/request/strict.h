// With `strict`, notes are errors.
#pragma once

#include "rechunk/notes.h"
#include "rechunk/options.h"

namespace rechunk {

/// Throws: invalid_argument, with all notes, if the options are strict and
/// there are notes.
void refuse_notes(const Options& options, const Notes& notes);

}  // namespace rechunk

// How the command spells the options that the library's texts name: as flags.
#pragma once

#include <string>

#include "rechunk/wording.h"

namespace rechunk::cli {

/// A `Speller`: `--max-memory 2GiB`, `--overwrite`, "`rechunk resume TARGET`".
std::string in_flags(const Mention& mention);

}  // namespace rechunk::cli

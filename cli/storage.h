// Storage options of a command line: --storage KEY=VALUE and those of one
// place.
#pragma once

#include "cli/flags.h"

namespace rechunk::cli {

/// Throws: UsageError (no "=").
Storage make_storage(const Arguments& arguments);

}  // namespace rechunk::cli

// The progress of a run, from its journal alone.
#pragma once

#include <memory>

#include "rechunk/status.h"
#include "rechunk/store.h"

namespace rechunk {

/// Throws: corrupt (a plan that cannot be read), io.
Status read_status(const Store& target, const std::shared_ptr<Store>& journal);

}  // namespace rechunk

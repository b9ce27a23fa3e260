// Plans in files, or in buckets: what `plan --save` writes, and `task` and
// `commit` read.
#pragma once

#include <string>

#include "rechunk/rechunk.h"

namespace rechunk::cli {

/// Writes the job's plan file in one step. Throws: invalid_argument (something
/// is already at the target), io.
void save_plan(const Job& job, const std::string& path, const Storage& storage);

/// Throws: not_found, corrupt.
Job load_plan(const std::string& path, const Storage& storage);

}  // namespace rechunk::cli

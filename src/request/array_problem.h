// An array as the planner sees it: source and target, without documents.
#pragma once

#include <cstdint>
#include <string>

#include "plan/planner.h"
#include "zarr/documents/metadata.h"

namespace rechunk {

/// What the planner must know of an array beside its metadata.
struct ProblemOptions {
  /// Payload that the run holds at another time, for its verification.
  std::int64_t other_bytes = 0;
  bool array_source = false;  ///< Elements come from an ArraySource.
  bool decodes = false;       ///< Even chunks that could be moved as stored.
  Kept kept = {};             ///< Elements that the target has already.
};

/// Makes the planner's problem for an array.
/// Throws: unsupported if it must be decoded and cannot be.
ArrayProblem make_problem(const std::string& name, const ArrayMetadata& source,
                          const ArrayMetadata& target,
                          const ProblemOptions& options);

}  // namespace rechunk

// Finds the elements in which two arrays differ.
#pragma once

#include "rechunk/comparison.h"
#include "verify/digest_array.h"

namespace rechunk {

/// Compares arrays of equal shape and type that can be decoded: by their
/// digests and, if these differ, box by box. For a sample, compares only the
/// elements in some boxes. The result has no name.
/// Throws: as digest_array.
Comparison::Array compare_elements(const StoredArray& a, const StoredArray& b,
                                   const ReadOptions& options);

}  // namespace rechunk

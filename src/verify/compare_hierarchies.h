// Compares the arrays of two groups, each in the way that its codecs allow.
#pragma once

#include <memory>

#include "rechunk/comparison.h"
#include "verify/digest_array.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// Compares all arrays of two hierarchies by digest. If an array cannot be
/// decoded but has the same encoding on both sides, compares its encoded
/// chunks. If its metadata is not understood, but is the same text, compares
/// all its objects.
Comparison compare_hierarchies(std::shared_ptr<Store> store_a,
                               const Hierarchy& a,
                               std::shared_ptr<Store> store_b,
                               const Hierarchy& b, const ReadOptions& options);

}  // namespace rechunk

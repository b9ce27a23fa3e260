// Where two arrays differ, and in what.
#pragma once

#include "verify/digest_array.h"

namespace rechunk {

/// Compares arrays of equal shape and type that can be decoded: by their
/// digests, and where these differ box by box. Of a sample only the elements in
/// some boxes, at once. Sets all of `result` but its name.
/// Throws: as digest_array.
void compare_elements(const StoredArray& a, const StoredArray& b,
                      const ReadOptions& options, Comparison::Array& result);

}  // namespace rechunk

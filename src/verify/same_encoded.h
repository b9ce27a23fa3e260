// Compares arrays chunk by encoded chunk.
#pragma once

#include <cstdint>

#include "verify/digest_array.h"

namespace rechunk {

/// True if both hold the same encoded chunks, byte for byte, in whatever
/// objects. For arrays with the same chunk encoding that cannot be decoded. If
/// `options` say so, compares only a sample of the first array's objects.
bool same_encoded(const StoredArray& a, const StoredArray& b,
                  const ReadOptions& options);
/// Payload bytes that one thread of `same_encoded` holds.
std::int64_t same_encoded_bytes(const ArrayMetadata& a, const ArrayMetadata& b);

/// Compares all objects below an array whose layout is not known, key by key.
/// "" if they are equal, else the first difference. For a sample, compares the
/// bytes of some objects only. Throws: io, cancelled, budget_exceeded.
std::string difference_as_stored(const Store& a, const Store& b,
                                 const std::string& path,
                                 const ReadOptions& options);

}  // namespace rechunk

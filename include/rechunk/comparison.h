// Compares arrays and groups. Part: src/verify/verify.cc.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "rechunk/observer.h"
#include "rechunk/options.h"
#include "rechunk/shape.h"
#include "rechunk/store.h"

namespace rechunk {

/// Compares only some regions, which is faster.
struct Sample {
  std::int64_t regions = 0;  ///< Random regions of each array; 0: everything.
  std::uint64_t seed = 0;
};

/// The result of comparing two arrays or groups.
struct Comparison {
  /// A box of some chunks of the first array in which elements differ.
  struct Difference {
    Shape start, stop;
    std::int64_t elements = 0;     ///< How many differ.
    Shape first;                   ///< The first of them, and its two values:
    std::string value_a, value_b;  ///< JSON, or bytes in hex.
  };
  struct Array {
    std::string name;
    std::string digest_a, digest_b;  ///< 32 hex digits; "" for a sample.
    bool equal = false;              ///< For a sample: no difference was found.
    bool compared = true;            ///< False if it cannot be decoded.
    std::string difference;  ///< Why not equal: shape, type, first element, ...
    /// The first sixteen regions that differ, and how many there are.
    std::vector<Difference> differences;
    std::int64_t different_regions = 0;
    std::int64_t different_elements = 0;  ///< At least those in `differences`.
    std::int64_t regions = 0, compared_regions = 0;  ///< 0: not compared.
    std::int64_t compared_elements = 0;
  };
  std::vector<Array> arrays;
  bool equal = false;
};

/// Compares the elements of two arrays, or of all arrays of two groups. Chunks,
/// codecs, byte order and format may differ. Reads each array once, and regions
/// that differ again. Of the options only `max_memory` and `threads` are used.
Comparison verify(const std::string& a, const std::string& b,
                  const Options& options = {}, const Sample& sample = {},
                  Observer* observer = nullptr, std::stop_token stop = {},
                  const Storage& storage = {});

}  // namespace rechunk

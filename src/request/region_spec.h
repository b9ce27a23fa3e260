// The text of --region: what it says, and what that means for one array. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rechunk/shape.h"

namespace rechunk {

/// A range of one dimension; `stop` -1: to its end.
struct RegionRange {
  std::string dimension;  ///< Its name, or its number from 0.
  std::int64_t start = 0, stop = -1;
};

/// "time=0:8760,lat=90:" -> ranges; "all" -> none.
/// Throws: invalid_argument.
std::vector<RegionRange> parse_region(const std::string& text);

/// The axis that a dimension means in an array with these names ("" for
/// unnamed ones; none at all where the array names none); -1: it has none such.
int axis_of(const std::string& dimension, const std::vector<std::string>& names,
            int rank);

/// The region of an array of `shape`. Ranges of other dimensions do not count.
/// Throws: invalid_argument (a range is empty, or beyond the array).
Region resolve_region(const std::vector<RegionRange>& ranges,
                      const std::vector<std::string>& names,
                      const Shape& shape);

/// The least region around this one whose bounds are multiples of `steps`, or
/// the array's end.
Region aligned(const Region& region, const Shape& steps, const Shape& shape);

/// "time=0:8760,lat=90:180", of what is not whole; "all" if everything is.
std::string region_text(const Region& region,
                        const std::vector<std::string>& names,
                        const Shape& shape);

}  // namespace rechunk

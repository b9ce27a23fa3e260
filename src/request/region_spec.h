// The text of Options::region: its parser, and the region that it means for one
// array. Pure.
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

/// The axis of a dimension in an array with these names ("" for an unnamed one;
/// empty if the array has no names). -1: there is no such dimension.
int axis_of(const std::string& dimension, const std::vector<std::string>& names,
            int rank);

/// The region of an array of `shape`. Ranges of other dimensions do not count.
/// Throws: invalid_argument (a range is empty, or beyond the array).
Region resolve_region(const std::vector<RegionRange>& ranges,
                      const std::vector<std::string>& names,
                      const Shape& shape);

/// The smallest region around this one whose bounds are multiples of `steps` or
/// the array's end.
Region aligned(const Region& region, const Shape& steps, const Shape& shape);

/// "time=0:8760,lat=90:180", without dimensions that are whole; "all" if every
/// dimension is whole.
std::string region_text(const Region& region,
                        const std::vector<std::string>& names,
                        const Shape& shape);

}  // namespace rechunk

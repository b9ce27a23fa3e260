#include "request/region_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "rechunk/error.h"

namespace rechunk {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::kInvalidArgument, what,
              "write ranges like time=0:8760,lat=90: without STOP itself, or "
              "all");
}

std::int64_t parse_bound(std::string_view word, std::int64_t otherwise,
                         std::string_view range) {
  if (word.empty()) return otherwise;
  std::int64_t bound = -1;
  const auto end = word.data() + word.size();
  const auto parsed = std::from_chars(word.data(), end, bound);
  if (parsed.ec != std::errc() || parsed.ptr != end || bound < 0)
    fail(fmt::format("\"{}\": \"{}\" is no index", range, word));
  return bound;
}

RegionRange parse_range(std::string_view word) {
  // A name may have both signs, so the last = ends it.
  const auto equals = word.rfind('=');
  const auto colon = word.find(':', equals == word.npos ? 0 : equals);
  if (equals == word.npos || equals == 0 || colon == word.npos)
    fail(fmt::format("\"{}\" is no range of a dimension", word));
  return {std::string(word.substr(0, equals)),
          parse_bound(word.substr(equals + 1, colon - equals - 1), 0, word),
          parse_bound(word.substr(colon + 1), -1, word)};
}

}  // namespace

std::vector<RegionRange> parse_region(const std::string& text) {
  std::vector<RegionRange> ranges;
  if (text == "all") return ranges;
  std::string_view rest = text;
  for (;;) {
    const auto comma = rest.find(',');
    RegionRange range = parse_range(rest.substr(0, comma));
    for (const RegionRange& other : ranges)
      if (other.dimension == range.dimension)
        fail(fmt::format("dimension \"{}\" has two ranges", range.dimension));
    ranges.push_back(std::move(range));
    if (comma == std::string_view::npos) return ranges;
    rest = rest.substr(comma + 1);
  }
}

int axis_of(const std::string& dimension, const std::vector<std::string>& names,
            int rank) {
  const auto found = std::find(names.begin(), names.end(), dimension);
  if (found != names.end()) return static_cast<int>(found - names.begin());
  int axis = -1;
  const auto end = dimension.data() + dimension.size();
  const auto parsed = std::from_chars(dimension.data(), end, axis);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == end;
  return is_number && axis >= 0 && axis < rank ? axis : -1;
}

Region resolve_region(const std::vector<RegionRange>& ranges,
                      const std::vector<std::string>& names,
                      const Shape& shape) {
  Region region = whole(shape);
  for (const RegionRange& range : ranges) {
    const int axis = axis_of(range.dimension, names, region.rank());
    if (axis < 0) continue;
    const std::int64_t stop = range.stop < 0 ? shape[axis] : range.stop;
    if (range.start >= stop || stop > shape[axis])
      fail(fmt::format("{}={}:{} is not within the {} elements of the target",
                       range.dimension, range.start, stop, shape[axis]));
    region.start[axis] = range.start;
    region.stop[axis] = stop;
  }
  return region;
}

Region aligned(const Region& region, const Shape& steps, const Shape& shape) {
  Region result = region;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    result.start[axis] -= region.start[axis] % steps[axis];
    const std::int64_t beyond = region.stop[axis] % steps[axis];
    if (beyond == 0) continue;
    const std::int64_t missing = steps[axis] - beyond;
    // Not stop + missing, because that may overflow.
    result.stop[axis] = shape[axis] - region.stop[axis] < missing
                            ? shape[axis]
                            : region.stop[axis] + missing;
  }
  return result;
}

std::string region_text(const Region& region,
                        const std::vector<std::string>& names,
                        const Shape& shape) {
  std::string text;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (region.start[axis] == 0 && region.stop[axis] == shape[axis]) continue;
    const bool named = axis < names.size() && !names[axis].empty();
    text += fmt::format("{}{}={}:{}", text.empty() ? "" : ",",
                        named ? names[axis] : std::to_string(axis),
                        region.start[axis], region.stop[axis]);
  }
  return text.empty() ? "all" : text;
}

}  // namespace rechunk

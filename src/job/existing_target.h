// Jobs that write into a target that exists: a region of it, or behind its end.
//
// The run writes a normal array. Only the coordinates of its first object are
// not zeros (ChunkKeyEncoding::first).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/cuts.h"
#include "rechunk/options.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

struct PlannedJob;

struct ExistingTarget {
  /// Of an array that is written.
  struct Array {
    Shape start;  ///< Of what is written, in elements of the target ...
    Shape shape;  ///< ... as it is when the run has ended.
    /// True: the source has the target's shape, and the same region of it is
    /// read. False: the whole source is read.
    bool same_region_of_source = false;
    std::string document;  ///< Verbatim, as it was when the run was planned.
    /// Appending: the written array begins with these elements of the last,
    /// partial objects; and marks that show if somebody else wrote these
    /// objects (partial_objects.h).
    Kept kept = {};
    std::string marks = {};
  };
  std::map<std::string, Array> arrays;
  std::vector<std::string> untouched;    ///< Arrays that both sides have.
  std::vector<std::string> only_target;  ///< Arrays that only the target has.
  /// Those of `untouched` that were not compared.
  std::vector<std::string> not_compared;
  /// A random number, so that the same work planned again is another run.
  std::string made;
};

/// True if the options ask for this.
bool into_existing(const Options& options);

/// The elements that the target already has of the objects that are written.
Kept kept_of(const PlannedJob& job, const std::string& path);

/// Checks that the target's arrays have the layout of planning time. If the run
/// `goes_on`, they may already have grown. Attributes may have changed.
/// Throws: invalid_argument.
void check_existing(const PlannedJob& job, bool goes_on);

/// Appending: gives the arrays their new shapes, and rebuilds consolidated
/// metadata if there is any. Throws: io, invalid_argument.
void grow_arrays(const PlannedJob& job);

/// Appending: an array has its new shape already. Then all data is there, and
/// the run can only end: what readers have seen must not vanish.
bool has_grown(const PlannedJob& job);

/// Erases objects that were written after the ends of arrays that have not
/// grown. Rebuilds consolidated metadata if there is any. Throws: io.
void erase_appended(const PlannedJob& job);

/// A line per array, for people.
std::vector<std::string> describe_existing(const PlannedJob& job);

}  // namespace rechunk

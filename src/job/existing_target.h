// Jobs that write into a target that exists: a region of it, or behind its end.
//
// What is written is an array like any other, whose first object has other
// coordinates than zeros (ChunkKeyEncoding::first).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/cuts.h"
#include "rechunk/rechunk.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

struct PlannedJob;

struct ExistingTarget {
  /// Of an array that is written.
  struct Array {
    Shape start;  ///< Of what is written, in elements of the target ...
    Shape shape;  ///< ... as it is when the run has ended.
    /// The same region is read from a source of the same shape; else all of it.
    bool same_region_of_source = false;
    std::string document;  ///< Verbatim, as it was when the run was planned.
    /// Appending: elements of the last, partial objects, with which what is
    /// written begins; and what tells whether somebody else wrote these objects
    /// (partial_objects.h).
    Kept kept = {};
    std::string marks = {};
  };
  std::map<std::string, Array> arrays;
  std::vector<std::string> untouched;    ///< Arrays that the source has, too.
  std::vector<std::string> only_target;  ///< Those that it has not.
  /// Of `untouched`: nobody knows whether they are the same on both sides.
  std::vector<std::string> not_compared;
  /// A random number: the same work planned again is another run.
  std::string made;
};

/// True where the options ask for that.
bool into_existing(const Options& options);

/// What an array's target has already of the objects that are written.
Kept kept_of(const PlannedJob& job, const std::string& path);

/// The target's arrays are laid out as when the run was planned; of a run that
/// `goes_on` they may have grown already. Attributes may have changed.
/// Throws: invalid_argument.
void check_existing(const PlannedJob& job, bool goes_on);

/// Appending: gives the arrays their new shapes, and rebuilds the consolidated
/// metadata that there is. Throws: io, invalid_argument.
void grow_arrays(const PlannedJob& job);

/// Erases what was written behind the ends of arrays that have not grown.
void erase_appended(const PlannedJob& job);

/// A line per array, for people.
std::vector<std::string> describe_existing(const PlannedJob& job);

}  // namespace rechunk

// Whether a process sees the source that was planned. A chunk that is missing
// is nothing but fill values, and so is a whole source that was moved, or that
// another process keeps in its own memory.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "rechunk/observer.h"

namespace rechunk {

struct PlannedJob;

/// What planning saw of an array of the source.
struct SourceSeen {
  std::string document;  ///< Hash of its metadata document; "": it has none.
  std::string object;    ///< Key of one of its objects; "": it has none.
};
using SourcesSeen = std::map<std::string, SourceSeen>;  ///< By array.

/// Of all arrays whose chunks lie in a store. Throws: io.
SourcesSeen look_at_sources(const PlannedJob& job);

/// Looks again, for the tasks of one process. May be used by many threads.
class SourceCheck {
 public:
  /// `job` must outlive it.
  explicit SourceCheck(const PlannedJob& job);

  /// Once per array: that it is what planning saw.
  /// Throws: not_found (it is not there), invalid_argument (it is another).
  void before_task(int array);
  /// Where a task found objects missing: that the source is still there.
  /// Throws: as above.
  void after_task(int array, const StageReport& report) const;
  /// That all arrays are what planning saw. Throws: as above.
  void look_at_all() const;

 private:
  const SourceSeen* seen(int array) const;
  void look_at_document(int array) const;
  void look_at_object(int array) const;

  const PlannedJob& job_;
  std::vector<std::atomic<bool>> looked_at_;
};

}  // namespace rechunk

// Checks that a process sees the source that was planned. A missing chunk means
// fill values. So a source that was moved, or that is in the memory of another
// process, would read as fill values only.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rechunk/observer.h"
#include "zarr/chunks/misplaced_chunks.h"

namespace rechunk {

struct PlannedJob;

/// The state of a source array when the run was planned.
struct SourceSeen {
  std::string document;  ///< Hash of its metadata document; "": it has none.
  std::string object;    ///< Key of one of its objects; "": it has none.
};
using SourcesSeen = std::map<std::string, SourceSeen>;  ///< By array.

/// For all arrays whose chunks are in a store. `objects`: what is known of
/// them. Throws: io.
SourcesSeen look_at_sources(const PlannedJob& job, const ObjectsSeen& objects);

/// Checks again, for the tasks of one process. May be used by many threads: it
/// only keeps in mind which arrays it has checked.
class SourceCheck {
 public:
  /// `job` must outlive it.
  explicit SourceCheck(const PlannedJob& job);

  /// Checks, once per array, that it has not changed since planning.
  /// Throws: not_found (it is gone), invalid_argument (it is another array).
  void before_task(int array) const;
  /// When a task found objects missing: checks that the source still exists.
  /// Throws: as above.
  void after_task(int array, const StageReport& report) const;
  /// Checks all arrays. Throws: as above.
  void look_at_all() const;

 private:
  const SourceSeen* seen(int array) const;
  void look_at(const std::vector<int>& documents,
               const std::vector<int>& objects) const;
  void check_document(int array, const std::string& key,
                      const std::optional<std::string>& text) const;

  const PlannedJob& job_;
  mutable std::vector<std::atomic<bool>> looked_at_;
};

}  // namespace rechunk

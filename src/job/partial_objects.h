// The last objects of an array along the axis that grows, if the array ends
// inside them. They are the only objects that a run reads, changes and writes
// back.
//
// Each must be in the state of the plan, or in one in which this run has left
// it according to the journal. A task that comes after the end of its run
// publishes neither these objects nor those in which the array ends now: a
// later append may have written them again. Part: partial_objects_restore.cc
// (what an append leaves that is given up).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "exec/appended_reader.h"
#include "job/planned_job.h"
#include "journal/journal.h"
#include "rechunk/observer.h"
#include "rechunk/store.h"
#include "zarr/documents/layout.h"

namespace rechunk {

/// The mark by which an object is recognised.
struct ObjectMark {
  std::int64_t bytes = -1;  ///< -1: there is none.
  std::int64_t version = 0;
  friend bool operator==(const ObjectMark&, const ObjectMark&) = default;
};

/// The keys of the partial objects of a job's array, in the order of their
/// coordinates. Requires: parts are placed.
std::vector<std::string> partial_keys(const PlannedJob& job,
                                      const std::string& path);

/// What they are now, for the plan: "312@1700000000000 - ...".
std::string partial_marks(const PlannedJob& job, const std::string& path);

/// All methods may be called by any thread.
class PartialObjects : public std::enable_shared_from_this<PartialObjects> {
 public:
  /// `job` must outlive it. Throws: corrupt (its marks are none).
  PartialObjects(const PlannedJob& job, const std::string& path);

  /// The target's store for writers. It publishes first and last objects only
  /// while the run is in progress, and partial objects only if their state is
  /// known.
  std::shared_ptr<Store> target();

  /// The target's store for one call of a reader. Throws (when read):
  /// invalid_argument (the object's state is not known), io (it changed during
  /// the call, retryable).
  std::shared_ptr<const Store> view();

  /// Writes an object of the array as its tasks do, for whoever encodes objects
  /// himself; nothing: removes it. Throws: as `before_change`, io.
  void publish(const std::string& key,
               std::optional<std::span<const std::byte>> object);

  /// Reads the kept elements, in the target's own types.
  AppendedReader::KeptReader reader(
      const std::shared_ptr<const ArrayLayout>& layout);

  bool is_fenced(const std::string& key) const {
    return planned_.contains(key) || last_.contains(key);
  }
  /// The mark in the plan.
  const ObjectMark& planned(const std::string& key) const {
    return planned_.at(key);
  }
  ObjectMark now(const std::string& key) const;

  /// Before a run begins. Throws: invalid_argument.
  void check_as_planned() const;

  /// The state that this run wrote, if it has this mark. Nothing if the object
  /// is as planned. Throws: invalid_argument (neither).
  std::vector<ObjectSums> known_state(const std::string& key,
                                      const ObjectMark& mark) const;

  /// Writes the object's next state to the journal before it becomes `next`.
  /// Throws: invalid_argument (the run has ended, or the object's state is not
  /// known).
  void before_change(const std::string& key, const ObjectSums& next);

 private:
  ObjectSums contents(const std::string& key) const;
  std::vector<ObjectSums> states(const std::string& key) const;

  const PlannedJob& job_;
  const std::shared_ptr<Store> store_;
  const std::string path_;
  std::int64_t header_bytes_ = 0;  ///< That are written last.
  std::map<std::string, ObjectMark> planned_;
  std::set<std::string> last_;  ///< Objects in which the array will end.
  mutable std::mutex mutex_;
  /// What was written, where there is no journal.
  std::map<std::string, std::vector<ObjectSums>> written_;
};

/// Cleans up after an append that is given up. In partial objects that it
/// wrote, fills everything after the old elements; removes objects that did not
/// exist before. Objects that somebody else wrote stay. Throws: io.
void restore_partial_objects(const PlannedJob& job, const std::string& path);

}  // namespace rechunk

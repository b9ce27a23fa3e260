// The last objects of an array along the axis that grows, where the array ends
// inside of them: the only ones that a run reads, changes and writes back.
//
// Each must be as the plan has it, or as the journal says that this run left
// it. A task that comes when its run has ended publishes none of them, and none
// in which the array ends now: a later append may have written them again.
// Part: partial_objects_restore.cc (what an append leaves that is given up).
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

/// What tells that an object is the one that was there.
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

  /// The target's store for those who write: publishes first and last objects
  /// only while the run goes on, and partial ones if they are known.
  std::shared_ptr<Store> target();

  /// The same for one call of a reader: each object stays what it was at the
  /// first look. Throws (when read): invalid_argument (it is not known), io
  /// (it changed meanwhile, retryable).
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

  /// What this run wrote there, if that is what has this mark; none where it is
  /// as planned. Throws: invalid_argument (it is neither).
  std::vector<ObjectSums> known_state(const std::string& key,
                                      const ObjectMark& mark) const;

  /// Makes the journal know the object before it becomes `next`.
  /// Throws: invalid_argument (the run has ended, or the object is not known).
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

/// Ends an append that is given up: fills the partial objects that it wrote
/// behind the elements that were there, and removes those that were not there.
/// What somebody else wrote stays. Throws: io.
void restore_partial_objects(const PlannedJob& job, const std::string& path);

}  // namespace rechunk

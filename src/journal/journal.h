// The journal of a run: its plan, and what is done of it. Immutable objects:
//
//   plan.json                     the plan file
//   ready                         room was made: tasks may begin. Its words:
//                                 the hash of the plan, one for the run, and
//                                 one for each time that it begins or resumes
//   done/ARRAY/STAGE/FIRST-STOP   what some tasks did (record_text.h); called
//                                 after the first of its batches, with +N if
//                                 there are N more
//   partial/HASH                  what a partial object may have become
//                                 (partial_objects.h)
//   owner/N, beat                 who works on it (run_lock.h)
//   exchanging                    the new tree is complete, and takes the place
//                                 of the target (replacement.h)
//   report                        what a process committed that another leads
//   committed                     the hash of a plan that has ended here, where
//                                 its target cannot tell and workers may ask
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exec/done_tasks.h"
#include "journal/record_text.h"
#include "rechunk/plan.h"
#include "rechunk/store.h"

namespace rechunk {

/// All methods may be called by any thread of any process at any time.
class Journal {
 public:
  /// A run that is going on, as `ready` names it.
  struct RunName {
    /// Stands in its records. A plan may be run, discarded, and run again:
    /// a late task of the first run must not count in the second.
    std::string run;
    /// Another one whenever the run is resumed: what a process knew of the
    /// journal before is old then.
    std::string since;
    friend bool operator==(const RunName&, const RunName&) = default;
  };

  /// An object of the journal.
  struct Record {
    std::string key;
    std::vector<BatchRecord> batches;
  };

  static std::string key_of(const std::vector<BatchRecord>& batches);
  /// The first batch of such a key, and whether there are more.
  struct Key {
    TaskRange first;
    bool has_more = false;
  };
  static std::optional<Key> parse_key(std::string_view key);

  /// `plan_hash`: of the plan whose records count. Other records are ignored.
  Journal(std::shared_ptr<Store> store, std::string plan_hash)
      : store_(std::move(store)), plan_hash_(std::move(plan_hash)) {}

  const std::shared_ptr<Store>& store() const { return store_; }

  /// The run of this plan that is going on: it was begun and room was made. One
  /// request. When a run ends, its plan goes a moment before its name does.
  std::optional<RunName> run() const;
  /// The same in two requests, without that moment.
  bool is_running() const;

  void begin(const std::string& plan_file);
  /// Room was made: gives the run a name.
  RunName set_ready();
  /// A process goes on with the run.
  RunName set_resumed();

  /// Writes one object, of the run of this name. Does nothing without batches.
  void record(const std::string& run, const std::vector<BatchRecord>& batches);

  /// The keys of all records, valid or not.
  std::vector<std::string> record_keys() const;

  /// All records that are valid.
  std::vector<Record> records(const Plan& plan) const;

  /// One record of a run. Nothing if it does not exist, is damaged, belongs to
  /// another run, or names tasks that this plan does not have.
  std::optional<Record> read(const Plan& plan, const std::string& run,
                             const std::string& key) const;

  /// One record replaces another of the run: that of fewer batches.
  void replace(const std::string& run, const Record& record,
               const std::vector<BatchRecord>& batches);

  /// The states in which a run may have left an object that it reads and writes
  /// again.
  void record_partial(const std::string& key,
                      const std::vector<ObjectSums>& states);
  std::vector<ObjectSums> partial_states(const std::string& key) const;

  /// Removes everything but the lock and what `erase_committed` removes.
  void erase();
  /// True if it has nothing but the lock.
  bool is_empty() const;

  /// Writes the record `exchanging`; false if there is one.
  bool begin_exchange(const std::string& record);
  /// Replaces the record.
  void set_exchange(const std::string& record);
  void erase_exchange();

  void set_committed();
  /// Erases the report, too.
  void erase_committed();

  /// For the process that leads the run, from another that has committed it.
  void set_report(const std::string& report);
  /// Erases it.
  std::optional<std::string> take_report();

 private:
  RunName write_ready(RunName name);
  std::optional<Record> parse(const Plan& plan, const std::string& run,
                              const std::string& key,
                              const std::string& text) const;

  std::shared_ptr<Store> store_;
  std::string plan_hash_;
};

/// True if a run is in progress or unfinished.
bool is_begun(const Store& journal);

/// The run's plan file. Nothing if there is no run.
std::optional<std::string> running_plan(const Store& journal);

/// Its plan_hash.
std::optional<std::string> running_plan_hash(const Store& journal);

/// True if a run has begun to write its target, even if the store has lost its
/// plan since.
bool room_was_made(const Store& journal);

/// The record of an exchange that has begun, of any plan.
std::optional<std::string> exchange_record(const Store& journal);

/// Of the plan that has ended here, if there is such a mark.
std::optional<std::string> committed_plan_hash(const Store& journal);

/// The sum of a plan's records.
struct Tally {
  DoneTasks done;
  std::vector<std::vector<StageReport>> stages;  ///< By array and stage.
  /// Digests of what the first stage of each array read. Nothing if records
  /// overlap or have no digest, because digests cannot be added then.
  std::vector<std::optional<Digest>> digests;

  /// The first tasks without a record; "" if none lack.
  std::string missing(const Plan& plan) const;
};
Tally tally(const Plan& plan, const std::vector<Journal::Record>& records);

}  // namespace rechunk

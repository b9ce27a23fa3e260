// The journal of a run: its plan, and what is done of it. Immutable objects:
//
//   plan.json                  the plan file
//   done/ARRAY/STAGE/FIRST-STOP   what these tasks did, JSON
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exec/task_runner.h"
#include "rechunk/plan.h"
#include "rechunk/store.h"

namespace rechunk {

/// All methods may be called by any thread of any process at any time.
class Journal {
 public:
  /// Tasks [first, stop) of one stage.
  struct Batch {
    int array = 0;
    int stage = 0;
    std::int64_t first = 0, stop = 0;
  };
  struct Record {
    Batch batch;
    TaskResult result;
  };

  explicit Journal(std::shared_ptr<Store> store) : store_(std::move(store)) {}

  /// The plan_hash of the run that is going on; nothing if there is none.
  std::optional<std::string> plan_hash() const;

  /// True for the one caller that is to make room for a run; the others wait
  /// for its `begin`. Throws: io if that takes too long.
  bool claim();
  void begin(const std::string& plan_file);

  void record(const Batch& batch, const TaskResult& result);
  bool has(const Batch& batch) const;

  /// All records; none once the run is committed. Throws: corrupt.
  std::vector<Record> records() const;
  /// The same without results, which takes one listing.
  std::vector<Record> batches() const;

  /// Removes everything.
  void erase();

 private:
  std::shared_ptr<Store> store_;
};

/// What records say of a plan.
struct Tally {
  std::vector<std::vector<StageReport>> stages;  ///< By array and stage.
  /// Of what the first stage of each array read; nothing where records overlap,
  /// so that digests cannot be added.
  std::vector<std::optional<Digest>> digests;
  std::string missing;  ///< The first tasks without a record; "" if none lack.
};
Tally tally(const Plan& plan, std::vector<Journal::Record> records);

}  // namespace rechunk

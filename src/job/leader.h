// The process that leads a run: it alone begins it, goes on with it, ends it.
#pragma once

#include <string>

#include "job/job_runner.h"
#include "job/planned_job.h"
#include "journal/journal.h"
#include "journal/run_lock.h"
#include "rechunk/error.h"

namespace rechunk {

/// Whether a run may go on where another process left the same plan.
enum class Unfinished { kRefuse, kResume };

class Leader {
 public:
  /// Takes the lock and makes room at the target, or looks what of the journal
  /// holds. `job` (with its plan file) and `runner` must outlive the leader.
  /// Throws: invalid_argument (somebody is at work there, the target exists),
  /// io.
  Leader(const PlannedJob& job, const JobRunner& runner, Unfinished unfinished);

  Journal& journal() { return journal_; }
  /// What was done before.
  const Tally& found() const { return found_; }
  bool resumed() const { return resumed_; }

  /// Throws: io if another process took over.
  void check() const { lock_.check(); }

  /// Writes the target's metadata: it is complete then, whatever fails later.
  /// Throws: io, also if another process took over.
  void commit();

  /// Removes journal and temporary data of a complete target.
  void finish();

  /// The run has failed: what is in the journal stays for another process. If
  /// that is nothing, removes all that was written; false then. A complete
  /// target stays as it is.
  bool leave() noexcept;

 private:
  bool go_on(const JobRunner& runner);

  const PlannedJob& job_;
  Journal journal_;
  RunLock lock_;
  Tally found_;
  bool resumed_ = false;
  bool committed_ = false;
};

/// What `Leader` does behind its lock, for a team without one: makes room if
/// that was not done. Throws: as Leader.
void begin_run(const PlannedJob& job, Journal& journal);

/// The error of a run whose work is kept, with a hint how to continue.
Error with_resume_hint(const Error& error, const PlannedJob& job);

}  // namespace rechunk

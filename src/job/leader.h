// The process that leads a run. Only the leader begins, resumes and ends it.
#pragma once

#include <string>

#include "job/job_runner.h"
#include "job/planned_job.h"
#include "journal/journal.h"
#include "journal/run_lock.h"
#include "rechunk/error.h"

namespace rechunk {

/// Whether a run may resume an unfinished run of the same plan.
enum class Unfinished { kRefuse, kResume };

class Leader {
 public:
  /// Takes the lock. Then makes room at the target, or checks which journal
  /// records are still valid. `job` (with its plan file) and `runner` must
  /// outlive the leader.
  /// Throws: invalid_argument (somebody is at work there, the target exists),
  /// io.
  Leader(const PlannedJob& job, const JobRunner& runner, Unfinished unfinished);

  Journal& journal() { return journal_; }
  /// The name of the run, for its records.
  const std::string& run() const { return run_; }
  /// The work that was done before.
  const Tally& found() const { return found_; }
  bool resumed() const { return resumed_; }

  /// Throws: io if another process took over.
  void check() const { lock_.check(); }

  /// Writes the target's metadata. Then the target is complete, even if
  /// something fails later.
  /// Throws: io, also if another process took over.
  void commit();

  /// Removes journal and temporary data of a complete target.
  void finish();

  /// The run has failed. Work in the journal stays for another process. If
  /// there is none, removes everything that was written and returns false. A
  /// complete target stays as it is.
  bool leave() noexcept;

 private:
  bool go_on(const JobRunner& runner);

  const PlannedJob& job_;
  Journal journal_;
  RunLock lock_;
  std::string run_;
  Tally found_;
  bool resumed_ = false;
  bool committed_ = false;
};

/// Does what `Leader` does with its lock, for a team without a leader: makes
/// room if that was not done. Throws: as Leader.
Journal::RunName begin_run(const PlannedJob& job, Journal& journal,
                           const SourceCheck& sources);

/// The error of a run whose work is kept, with a hint that says how to
/// continue.
Error with_resume_hint(const Error& error, const PlannedJob& job);

}  // namespace rechunk

// The entry points of rechunk: plan a job, run it, verify, inspect.
//
//   Options options;
//   options.chunks = "time=all,lat=10,lon=10";
//   Job job("by-hour.zarr", "by-place.zarr", options);
//   std::cout << to_json(job.plan());
//   Report report = job.run();
//
// This header has `Job`, and includes all others but run.h.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "rechunk/array_source.h"
#include "rechunk/comparison.h"
#include "rechunk/error.h"
#include "rechunk/executor.h"
#include "rechunk/info.h"
#include "rechunk/observer.h"
#include "rechunk/options.h"
#include "rechunk/paper.h"
#include "rechunk/plan.h"
#include "rechunk/report.h"
#include "rechunk/status.h"
#include "rechunk/store.h"

namespace rechunk {

struct JobState;  // src/job/job_state.h

/// One rechunk from a source to a target. The constructor plans it. Nothing is
/// written before `run`, or before a `Run` of the job begins (run.h). A process
/// that takes part in another process's run loads the same job from its plan
/// file.
class Job {
 public:
  /// `source` and `target` are URLs, or "" if `stores` has the place. A place
  /// in `stores` replaces the URL. Throws: not_found, corrupt, unsupported,
  /// invalid_argument, budget_exceeded.
  Job(const std::string& source, const std::string& target,
      const Options& options, const Stores& stores = {});
  ~Job();
  Job(Job&&) noexcept;
  Job& operator=(Job&&) noexcept;

  const Plan& plan() const;

  /// True if the job writes into a part of a target that exists.
  bool into_existing() const;
  /// The parts that are written: a line per array, for people.
  std::vector<std::string> parts() const;

  /// Throws: invalid_argument if something is at the target that the options
  /// do not allow to replace.
  void check_target() const;

  /// The plan file: JSON with the keys of `to_json(plan)` and everything that
  /// other processes must know. `load` opens the stores that it names by URL,
  /// unless `stores` has them. Throws (load): corrupt.
  const std::string& save() const;
  static Job load(const std::string& plan_file, const Stores& stores = {});

  /// The job whose run at `target` is unfinished. `storage` is added to what
  /// its plan says. It uses `threads` threads (0:
  /// as planned). With `check_contents`, finished objects are first re-read and
  /// compared with the journal; those that differ are written again.
  /// Throws: not_found (there is none), corrupt, invalid_argument.
  static Job unfinished(const std::string& target, int threads = 0,
                        bool check_contents = false,
                        const Storage& storage = {});

  /// Copies everything on threads of this process, then commits the target's
  /// metadata. If there is an unfinished run of the same plan, a job that was
  /// loaded resumes it; a job that was just planned refuses, or replaces it.
  /// After a failure or a cancellation, finished tasks stay, so that another
  /// process can resume the run. If there are none, everything is removed.
  /// Throws: io, corrupt, cancelled, invalid_argument (the target exists, or a
  /// process is at work there).
  Report run(Observer* observer = nullptr, std::stop_token stop = {});

  /// Makes the job resume its own unfinished run, as a loaded job does. If
  /// another unfinished run at the target does the same work within this job's
  /// memory, the job becomes that one, and the result is true. Call it before
  /// any run of the job.
  bool adopt_unfinished();

  /// Progress of the run of this job, or of another run at its target.
  Status status() const;
  /// After a successful run: places beside the target that could not be
  /// emptied. Throws: io.
  std::vector<std::string> leftovers() const;
  /// Removes everything that a run of this job wrote, finished or not. From a
  /// target that existed, removes only appended elements. A target that was to
  /// be replaced stays as it is.
  /// Throws: invalid_argument if a process is at work on it, or the new target
  /// has already taken the old one's place, or an array that grows has its new
  /// length already.
  void discard();

 private:
  friend class Run;
  explicit Job(std::unique_ptr<JobState> state);
  std::unique_ptr<JobState> state_;
};

inline Job Executor::share(const std::function<Job()>& plan) { return plan(); }

}  // namespace rechunk

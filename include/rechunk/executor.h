// The Executor seam: what runs a plan. An executor divides the tasks of each
// step among its workers in any way, and keeps the order of the steps. This is
// the simplest one:
//
//   for (const Step& step : steps_of(job.plan())) run.run_step(step);
//
// make_executor and the functions before it are in the library
// rechunk_executors. docs/guides/cpp-executor.md shows how to write one.
// Parts: src/plan/steps.cc; src/executors/ has a file per executor: threads.cc,
// serial.cc, mpi.cc, and batches.cc, which they share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "rechunk/observer.h"
#include "rechunk/plan.h"

namespace rechunk {

class Job;
class Run;
struct Report;

/// A part of a run whose tasks are independent of each other.
struct Step {
  enum class Kind {
    kPrepare,  ///< Makes room at the target; once, before all else.
    kCopy,     ///< Runs tasks of one stage.
    kRelease,  ///< Erases what these tasks wrote into an intermediate.
    kCommit,   ///< Makes the target visible; once, after all else.
  };
  Kind kind = Kind::kCopy;
  TaskRange tasks;  ///< To copy or to release.
  /// Indices of the steps that must end before this one; all are smaller.
  std::vector<int> after;
};
std::string_view to_string(Step::Kind kind);

/// The steps of a plan, in an order in which they can run one by one:
/// kPrepare first, kCommit last. The steps of a component form a chain, so that
/// intermediates are released early. If an array has more than `max_chains`
/// components, several of them share a chain.
std::vector<Step> steps_of(const Plan& plan, int max_chains = 256);

/// The processes that the user started to run one job together.
struct Team {
  int rank = 0;  ///< Of this process. Only rank 0 prints.
  int processes = 1;
  int processes_here = 1;  ///< On this machine: they share its memory.
};

/// One executor runs one job at a time.
class Executor {
 public:
  virtual ~Executor() = default;

  virtual Team team() const { return {}; }

  /// The job that `plan` makes. One process of the team calls `plan`, the
  /// others load its job. Throws, in all processes: what `plan` throws.
  virtual Job share(const std::function<Job()>& plan);

  /// Runs the whole job, also the commit. `observer` may be null. After a
  /// failure or a cancellation, finished tasks stay in the journal and
  /// `Job::unfinished` can resume the run; the error's hint says so. If no task
  /// was finished, everything that was written is removed.
  /// Throws: what the run's steps throw, cancelled.
  virtual Report run(Job& job, Observer* observer, std::stop_token stop) = 0;
};

// The parts that executors are made of.

/// Cuts a copy or release step into batches of equal size, so that each of
/// `workers` workers gets several. Each batch of a copy gets its own record in
/// the journal.
std::vector<Step> batches_of(const Step& step, int workers);

using BatchDone = std::function<void(const Step&, const StageReport&)>;

/// Runs batches on up to plan().threads threads. Their steps must not depend on
/// each other. Calls `done(batch, report)` after each batch, from one thread at
/// a time. The first error stops the other threads.
/// Throws: what the run throws, cancelled.
void run_batches(Run& run, std::span<const Step> batches, std::stop_token stop,
                 const BatchDone& done);

/// "serial", "threads", and "mpi" if the build has it.
/// Throws: invalid_argument (unknown), unsupported (not in this build).
std::unique_ptr<Executor> make_executor(std::string_view name);

}  // namespace rechunk

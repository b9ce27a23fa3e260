// The Executor seam: what runs a plan. An executor splits the tasks of each
// step among its workers, in any way, and keeps the order that steps ask for.
//
//   for (const Step& step : steps_of(job.plan())) job.run_step(step);
//
// is the simplest. The library rechunk_executors has make_executor and what
// stands below it; docs/guides/cpp-executor.md shows how to write one.
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
struct Report;

/// A part of a run whose tasks are independent of each other.
struct Step {
  enum class Kind {
    kPrepare,  ///< Makes room at the target; once, before all else.
    kCopy,     ///< Runs tasks [first, stop) of one stage.
    kRelease,  ///< Erases what these tasks wrote into an intermediate.
    kCommit,   ///< Makes the target visible; once, after all else.
  };
  Kind kind = Kind::kCopy;
  int array = 0;  ///< Index into Plan::arrays.
  int stage = 0;  ///< Index into StagedCopySpec::stages.
  std::int64_t first = 0, stop = 0;
  /// Indices of the steps that must be finished before; all are smaller.
  std::vector<int> after;
};
std::string_view to_string(Step::Kind kind);

/// The steps of a plan, in an order in which they can run one by one:
/// kPrepare first, kCommit last. Components follow each other in chains of
/// steps, so that intermediates are released early; many components share a
/// chain, so that there are at most `max_chains` chains for each array.
std::vector<Step> steps_of(const Plan& plan, int max_chains = 256);

/// This process among those that the user started to run one job together.
struct Team {
  int rank = 0;  ///< The others say nothing: 0 tells of success and failure.
  int processes = 1;
  int processes_here = 1;  ///< That share this machine, and its memory.
};

/// May be used for one run at a time.
class Executor {
 public:
  virtual ~Executor() = default;

  virtual Team team() const { return {}; }

  /// The job that `plan` makes: one process of the team calls it, the others
  /// load what it made. Throws, in all of them: what `plan` throws.
  virtual Job share(const std::function<Job()>& plan);

  /// Runs the whole job, commit included. `observer` may be null. On failure
  /// and on cancellation what was written is removed again.
  /// Throws: what the job's operations throw, cancelled.
  virtual Report run(Job& job, Observer* observer, std::stop_token stop) = 0;
};

// The parts that executors are made of.

/// A copy or release step in batches of equal size, so that each of so many
/// workers gets several. Batches of copies have a record each in the journal.
std::vector<Step> batches_of(const Step& step, int workers);

/// The report is empty for releases.
StageReport run_batch(Job& job, const Step& batch);

using BatchDone = std::function<void(const Step&, const StageReport&)>;

/// Runs batches of steps that need not wait for each other on up to
/// plan().threads threads, and calls `done(batch, report)` after each, from one
/// thread at a time. The first error stops the others.
/// Throws: what the job throws, cancelled.
void run_batches(Job& job, std::span<const Step> batches, std::stop_token stop,
                 const BatchDone& done);

/// "serial", "threads", and "mpi" where the build has it.
/// Throws: invalid_argument (unknown), unsupported (not in this build).
std::unique_ptr<Executor> make_executor(std::string_view name);

}  // namespace rechunk

// The Executor seam: what runs a plan. An executor splits the tasks of each
// step among its workers, in any way, and keeps the order that steps ask for.
//
//   for (const Step& step : job.steps()) job.run_step(step);   // the simplest
#pragma once

#include <cstdint>
#include <memory>
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

/// May be used for one run at a time.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Runs the whole job, commit included. `observer` may be null.
  /// Throws: what the job's operations throw, cancelled.
  virtual Report run(Job& job, Observer* observer, std::stop_token stop) = 0;
};

/// "serial", "threads", and "mpi" where the build has it.
/// Throws: invalid_argument (unknown), unsupported (not in this build).
std::unique_ptr<Executor> make_executor(std::string_view name);

}  // namespace rechunk

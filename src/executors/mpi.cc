// One job on the processes that mpirun started. Every process ("rank") runs a
// share of each step's tasks. After each step all ranks agree on whether one
// failed, so that none waits for another that has given up.
#include <mpi.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "executors/run_meter.h"
#include "executors/table.h"
#include "rechunk/run.h"

namespace rechunk {
namespace {

/// The ranks, as a group that speaks with one voice. MPI itself ends all ranks
/// when one of its calls fails.
class Ranks {
 public:
  Ranks() {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &team_.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &team_.processes);
    MPI_Comm here;
    // The ranks of one machine share its memory, so they must know how many
    // they are.
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL,
                        &here);
    MPI_Comm_size(here, &team_.processes_here);
    MPI_Comm_free(&here);
  }

  ~Ranks() {
    // The other ranks do not know of this error. They would wait for ever.
    if (std::uncaught_exceptions() > 0 && !failed_together_)
      MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Finalize();
  }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  const Team& team() const { return team_; }
  bool leads() const { return team_.rank == 0; }

  /// Runs `action` in every rank. If it throws in any, all ranks throw what it
  /// threw in the lowest of these.
  template <class Action>
  void together(Action&& action) {
    std::optional<Error> failure;
    try {
      action();
    } catch (const Error& error) {
      failure = error;
    } catch (const std::exception& error) {
      failure.emplace(ErrorKind::kInternal, error.what());
    }
    agree(failure);
  }

  template <class Action>
  void on_leader(Action&& action) {
    together([&] {
      if (leads()) action();
    });
  }

  /// The text of rank `from`, in every rank.
  std::string broadcast(std::string text, int from) {
    std::uint64_t bytes = text.size();
    MPI_Bcast(&bytes, 1, MPI_UINT64_T, from, MPI_COMM_WORLD);
    text.resize(bytes);
    // MPI counts in int.
    constexpr std::uint64_t kMostBytes = 1 << 30;
    for (std::uint64_t at = 0; at < bytes; at += kMostBytes)
      MPI_Bcast(text.data() + at,
                static_cast<int>(std::min(kMostBytes, bytes - at)), MPI_CHAR,
                from, MPI_COMM_WORLD);
    return text;
  }

  std::int64_t sum(std::int64_t number) {
    MPI_Allreduce(MPI_IN_PLACE, &number, 1, MPI_INT64_T, MPI_SUM,
                  MPI_COMM_WORLD);
    return number;
  }

 private:
  void agree(const std::optional<Error>& failure) {
    int first = failure ? team_.rank : team_.processes;
    // The lowest rank that failed speaks for all.
    MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (first == team_.processes) return;
    int kind = failure ? static_cast<int>(failure->kind()) : 0;
    MPI_Bcast(&kind, 1, MPI_INT, first, MPI_COMM_WORLD);
    const std::string what =
        broadcast(failure ? failure->marked_message() : "", first);
    const std::string hint =
        broadcast(failure ? failure->marked_hint() : "", first);
    failed_together_ = true;
    throw Error(static_cast<ErrorKind>(kind), what, hint);
  }

  Team team_;
  bool failed_together_ = false;
};

/// Steps end with a meeting of all ranks, so each should have work for all.
/// Fewer chains have longer steps, but keep more of the intermediates.
int chains_for(const Plan& plan, int workers) {
  std::int64_t most = 1;
  for (const StagedCopySpec& array : plan.arrays) {
    std::int64_t tasks = array.stages.empty() ? 0 : array.stages[0].tasks;
    for (const CopySpec& stage : array.stages)
      tasks = std::min(tasks, stage.tasks);
    most = std::max(most, tasks / workers / 4);
  }
  return static_cast<int>(std::min<std::int64_t>(most, 256));
}

class MpiExecutor final : public Executor {
 public:
  Team team() const override { return ranks_.team(); }

  Job share(const std::function<Job()>& plan) override {
    std::optional<Job> job;
    std::string text;
    ranks_.on_leader([&] {
      job.emplace(plan());
      text = job->save();
    });
    text = ranks_.broadcast(std::move(text), 0);
    ranks_.together([&] {
      if (!job) job.emplace(Job::load(text));
    });
    return *std::move(job);
  }

  Report run(Job& job, Observer* observer, std::stop_token stop) override {
    RunMeter meter(job.plan(), observer);
    Run run(job);
    ranks_.on_leader([&] { run.lead(); });
    try {
      const int workers = team().processes * job.plan().threads;
      for (const Step& step :
           steps_of(job.plan(), chains_for(job.plan(), workers)))
        run_share(run, batches_of(step, workers), meter, stop);
      Report report;
      ranks_.on_leader([&] { report = run.commit(); });
      return meter.finish(std::move(report));
    } catch (...) {
      // On the leader, `fail` throws the error with a hint.
      if (ranks_.leads()) run.fail();
      throw;
    }
  }

 private:
  /// Every n-th batch, so that neighbours are worked on at the same time.
  void run_share(Run& run, const std::vector<Step>& batches, RunMeter& meter,
                 std::stop_token stop) {
    if (batches.empty()) return;
    const std::int64_t tasks_before = meter.tasks();
    const std::int64_t bytes_before = meter.bytes();
    ranks_.together([&] {
      std::vector<Step> share;
      for (std::size_t i = team().rank; i < batches.size();
           i += team().processes)
        share.push_back(batches[i]);
      run_batches(run, share, stop,
                  [&](const Step& batch, const StageReport& report) {
                    meter.add(batch, report);
                  });
    });
    const std::int64_t tasks = meter.tasks() - tasks_before;
    const std::int64_t bytes = meter.bytes() - bytes_before;
    // Only the first rank shows progress, which is that of all.
    meter.add(ranks_.sum(tasks) - tasks, ranks_.sum(bytes) - bytes);
  }

  Ranks ranks_;
};

}  // namespace

std::unique_ptr<Executor> make_mpi_executor() {
  return std::make_unique<MpiExecutor>();
}

}  // namespace rechunk

// Puts the parts together: what is asked for -> a plan -> a run -> a target.
#include "rechunk/rechunk.h"

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include "exec/run_plan.h"
#include "job/journal.h"
#include "job/machine.h"
#include "job/places.h"
#include "job/planned_job.h"
#include "job/target_place.h"
#include "job/verify_target.h"
#include "job/worker.h"

namespace rechunk {
namespace {

Report run_on_threads(const PlannedJob& job, Observer* observer,
                      std::stop_token stop) {
  MemoryBudget budget(job.options.max_memory);
  JobRunner runner(job.plan, job.source, job.target, job.stores, job.options);
  const auto results = run_plan(job.plan, runner, budget,
                                {job.options.keep_temp, observer, stop});
  Report report;
  std::vector<std::optional<Digest>> digests;
  for (const ArrayResult& result : results) {
    report.arrays.push_back({result.stages, ""});
    digests.emplace_back(result.digest);
  }
  if (job.options.verify)
    verify_target(job, digests, {budget, job.plan.threads, stop}, report);
  if (stop.stop_requested())
    throw Error(ErrorKind::kCancelled, "stopped on request");
  write_hierarchy(*job.stores.target, job.target);
  return report;
}

}  // namespace

struct Job::State {
  explicit State(PlannedJob planned) : job(std::move(planned)) {}

  Worker& worker() {
    const std::lock_guard lock(mutex);
    save();
    if (!worker_) worker_.emplace(job);
    return *worker_;
  }
  void save() {
    if (job.text.empty()) write_plan_file(job);
  }

  PlannedJob job;
  std::mutex mutex;
  std::optional<Worker> worker_;
};

Job::Job(const std::string& source, const std::string& target,
         const Options& options, const Stores& stores) {
  if (!source.empty() && !target.empty()) check_apart(source, target);
  const std::string temp = target.empty() && options.temp.empty()
                               ? ""
                               : temp_place(options.temp, target);
  state_ = std::make_unique<State>(
      plan_job({source, target, temp}, stores, options));
}

Job::Job(std::unique_ptr<State> state) : state_(std::move(state)) {}
Job::~Job() = default;
Job::Job(Job&&) noexcept = default;

const Plan& Job::plan() const { return state_->job.plan; }

void Job::check_target() const { rechunk::check_target(state_->job); }

const std::string& Job::save() const {
  const std::lock_guard lock(state_->mutex);
  state_->save();
  return state_->job.text;
}

Job Job::load(const std::string& plan_file, const Stores& stores) {
  return Job(std::make_unique<State>(read_plan_file(plan_file, stores)));
}

Report Job::run(Observer* observer, std::stop_token stop) {
  const auto begin = std::chrono::steady_clock::now();
  const PlannedJob& job = state_->job;
  check_target();
  make_room(job);
  Report report;
  try {
    if (job.stores.journal) Journal(job.stores.journal).begin(save());
    report = run_on_threads(job, observer, stop);
  } catch (...) {
    clean_up(job, true);
    throw;
  }
  clean_up(job, false);
  report.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  report.max_rss = max_rss();
  return report;
}

void Job::prepare() { state_->worker().prepare(); }

StageReport Job::run_tasks(int array, int stage, std::int64_t first,
                           std::int64_t stop) {
  return state_->worker().run_tasks({array, stage, first, stop});
}

void Job::release(int array, int stage, std::int64_t first, std::int64_t stop) {
  state_->worker().release({array, stage, first, stop});
}

Report Job::commit(bool by_journal) {
  return state_->worker().commit(by_journal);
}

bool Job::complete() const { return state_->worker().complete(); }

bool Job::committed() const { return state_->worker().committed(); }

void Job::discard() { clean_up(state_->job, true); }

void Job::run_step(const Step& step) { run_step(step, step.first, step.stop); }

void Job::run_step(const Step& step, std::int64_t first, std::int64_t stop) {
  switch (step.kind) {
    case Step::Kind::kPrepare:
      return prepare();
    case Step::Kind::kCopy:
      run_tasks(step.array, step.stage, first, stop);
      return;
    case Step::Kind::kRelease:
      return release(step.array, step.stage, first, stop);
    case Step::Kind::kCommit:
      commit();
      return;
  }
}

}  // namespace rechunk

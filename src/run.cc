#include "rechunk/run.h"

#include "job/job_state.h"
#include "job/worker.h"

namespace rechunk {

Run::Run(Job& job) : job_(&job) {
  job.state_->save();
  worker_ = std::make_unique<Worker>(job.state_->job);
}

Run::~Run() = default;
Run::Run(Run&&) noexcept = default;

void Run::lead() { worker_->lead(job_->state_->unfinished); }

void Run::prepare() { worker_->prepare(); }

StageReport Run::run_step(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kPrepare:
      prepare();
      break;
    case Step::Kind::kCopy:
      return run_tasks(step.tasks);
    case Step::Kind::kRelease:
      release(step.tasks);
      break;
    case Step::Kind::kCommit:
      commit();
      break;
  }
  return {};
}

StageReport Run::run_tasks(const TaskRange& tasks) {
  return worker_->run_tasks({&tasks, 1});
}

void Run::run_together(std::span<const TaskRange> tasks) {
  worker_->run_tasks(tasks);
}

void Run::release(const TaskRange& tasks) { worker_->release(tasks); }

void Run::publish(int array, const std::string& key,
                  std::optional<std::span<const std::byte>> object) {
  worker_->publish(array, key, object);
}

Report Run::commit(bool by_journal) { return worker_->commit(by_journal); }

std::optional<std::string> Run::step_down() { return worker_->step_down(); }

void Run::fail() {
  const bool kept = worker_->leave();
  try {
    throw;
  } catch (const Error& error) {
    if (kept) throw with_resume_hint(error, job_->state_->job);
    throw;
  }
}

bool Run::complete() const { return worker_->complete(); }

bool Run::committed() const { return worker_->committed(); }

void Run::trim_memory() { worker_->trim_memory(); }

}  // namespace rechunk

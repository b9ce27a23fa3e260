// One process's part in a run of a job: what executors and engines call.
//
//   Run run(job);
//   run.lead();
//   try {
//     for (const Step& step : steps_of(job.plan())) run.run_step(step);
//     return run.commit();
//   } catch (...) {
//     run.fail();
//   }
//
// Who calls whom, and what lies in the journal in which order:
// src/job/RUN.md. Parts: src/run.cc; src/job/worker.h does the work.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "rechunk/rechunk.h"

namespace rechunk {

class Worker;

/// Any process that has loaded the job may take part. The methods may be
/// repeated, and may be called by any thread. All that run at the same time
/// hold at most plan().max_memory together.
class Run {
 public:
  /// `job` must outlive the run. Writes nothing.
  explicit Run(Job& job);
  ~Run();
  Run(Run&&) noexcept;

  Job& job() const { return *job_; }
  const Plan& plan() const { return job_->plan(); }

  // A run begins with one of these.

  /// This process leads: nobody else may begin or resume the run until it is
  /// committed, or this process leaves it. Begins it or goes on with it, as
  /// Job::run does. Throws: as Job::run.
  void lead();
  /// Nobody leads: makes room at the target and opens the journal, or joins a
  /// run of the same plan. Throws: invalid_argument (the target exists).
  void prepare();

  // Steps, in the order of steps_of(plan()).

  /// A step, or a part of one. The report is that of a copy, else empty.
  StageReport run_step(const Step& step);
  /// Leaves out tasks that the journal had when this process joined the run,
  /// and tasks that it has run itself. If none are left, the report is empty.
  StageReport run_tasks(const TaskRange& tasks);
  /// Runs tasks of several steps, and journals them as one: for small tasks of
  /// many arrays. They must not depend on each other.
  void run_together(std::span<const TaskRange> tasks);
  /// Erases the objects of an intermediate that these tasks wrote.
  void release(const TaskRange& tasks);
  /// For callers that do not use `run_tasks`: writes or removes the object
  /// `key` of a target array that grows (`Options::append`). As for tasks, the
  /// journal gets the state of a partial object before it changes. Throws:
  /// invalid_argument (the run has ended, or somebody else changed the object).
  void publish(int array, const std::string& key,
               std::optional<std::span<const std::byte>> object);

  // It ends with one of these.

  /// Verifies the target, if the options say so, and makes it visible. With
  /// `by_journal` false, the caller did not use `run_tasks` and guarantees that
  /// nothing is missing.
  /// Throws: invalid_argument (names a task that the journal lacks), corrupt.
  Report commit(bool by_journal = true);
  /// Stops leading a run, finished or not. If any process has begun to work,
  /// keeps everything, because other processes may still be working.
  /// The report, as JSON, if the run was committed, by whichever process. Its
  /// notes name options between marks (wording.h).
  std::optional<std::string> step_down();
  /// For a catch block of a process that leads: stops leading, and throws the
  /// caught error again, with a hint that says how to resume. If no task was
  /// done, removes everything.
  [[noreturn]] void fail();

  /// True if the journal has all tasks, so that `commit` may follow.
  bool complete() const;
  /// True if no run is going on and the target is as `commit` leaves it.
  bool committed() const;
  /// Gives back the memory that is kept between tasks.
  void trim_memory();

 private:
  Job* job_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace rechunk

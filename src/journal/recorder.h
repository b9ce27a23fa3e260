// Journals what the tasks of one process did, some times a second at most.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <tuple>
#include <vector>

#include "exec/task_runner.h"
#include "journal/journal.h"

namespace rechunk {

/// Runs the tasks of another runner and records them: neighbours as one batch,
/// all that has gathered as one object, written by a thread of its own. The
/// longer a run takes, the more it gathers: what a killed run loses is at most
/// a hundredth of its time, or half a minute. Before an intermediate is erased
/// everything that was done with it is in the journal.
class Recorder final : public TaskRunner {
 public:
  /// `before_record` makes what tasks wrote durable, where that is asked for;
  /// may be empty. All must outlive the recorder.
  Recorder(TaskRunner& runner, Journal& journal,
           std::function<void()> before_record);

  /// Throws: what the runner throws; what writing earlier records threw.
  TaskResult run(int array, int stage, std::int64_t task,
                 Arena& arena) override;
  void release(int array, int stage, std::int64_t task) override;

  /// Writes what has gathered, and waits for what is being written.
  void flush();

 private:
  using Clock = std::chrono::steady_clock;
  /// By array, stage and first task.
  using Gathered = std::map<std::tuple<int, int, std::int64_t>, BatchRecord>;

  void gather(const Batch& task, const TaskResult& result);
  void write_now_and_then(std::stop_token stop);
  Clock::duration interval() const;

  TaskRunner& runner_;
  Journal& journal_;
  const std::function<void()> before_record_;
  const Clock::time_point begin_ = Clock::now();
  std::mutex mutex_;  ///< Of what is gathered, and the error.
  std::condition_variable_any changed_;
  Gathered gathered_;
  std::exception_ptr error_;
  std::mutex writing_;  ///< Held while a record is being written.
  std::jthread writer_;
};

}  // namespace rechunk

// Writes the finished tasks of one process to the journal, at most a few times
// a second.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "exec/task_runner.h"
#include "journal/journal.h"

namespace rechunk {

/// Runs the tasks of another runner and records them. Neighbours become one
/// batch, and all gathered batches become one object, which a thread of its own
/// writes. In a long run it gathers for longer. So a killed run loses at most a
/// hundredth of its time, or half a minute. Before an intermediate is erased,
/// all tasks that have read it are in the journal.
class Recorder final : public TaskRunner {
 public:
  /// `run` is the name of the run. `before_record` syncs what tasks wrote, if
  /// the job is durable; it may be empty. The recorder does not own the others,
  /// which must outlive it.
  Recorder(TaskRunner& runner, Journal& journal, std::string run,
           std::function<void()> before_record);

  /// Throws: what the runner throws; what writing earlier records threw.
  TaskResult run(int array, int stage, std::int64_t task,
                 Arena& arena) override;
  void release(const TaskRange& tasks) override;

  /// Writes everything that was gathered, and waits until it is written.
  void flush();

 private:
  using Clock = std::chrono::steady_clock;
  /// By array, stage and first task.
  using Gathered = std::map<std::tuple<int, int, std::int64_t>, BatchRecord>;

  void gather(const TaskRange& task, const TaskResult& result);
  void write_now_and_then(std::stop_token stop);
  Clock::duration interval() const;

  TaskRunner& runner_;
  Journal& journal_;
  const std::string run_;
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

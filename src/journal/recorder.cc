#include "journal/recorder.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rechunk {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kPartOfRun = 100;

void append(BatchRecord& record, const BatchRecord& next) {
  record.tasks.stop = next.tasks.stop;
  record.result.report += next.result.report;
  record.result.digest += next.result.digest;
}

}  // namespace

Recorder::Recorder(TaskRunner& runner, Journal& journal, std::string run,
                   std::function<void()> before_record)
    : runner_(runner),
      journal_(journal),
      run_(std::move(run)),
      before_record_(std::move(before_record)),
      writer_([this](std::stop_token stop) { write_now_and_then(stop); }) {}

TaskResult Recorder::run(int array, int stage, std::int64_t task,
                         Arena& arena) {
  TaskResult result = runner_.run(array, stage, task, arena);
  gather({array, stage, task, task + 1}, result);
  return result;
}

void Recorder::release(const TaskRange& tasks) {
  flush();
  runner_.release(tasks);
}

void Recorder::gather(const TaskRange& task, const TaskResult& result) {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
  const auto key = [](const TaskRange& tasks) {
    return std::tuple(tasks.array, tasks.stage, tasks.first);
  };
  const auto touches = [&](const TaskRange& a, const TaskRange& b) {
    return a.array == b.array && a.stage == b.stage && a.stop == b.first;
  };
  auto at = gathered_.emplace(key(task), BatchRecord{task, result}).first;
  if (at != gathered_.begin() && touches(std::prev(at)->second.tasks, task)) {
    append(std::prev(at)->second, at->second);
    at = std::prev(gathered_.erase(at));
  }
  const auto next = std::next(at);
  if (next != gathered_.end() &&
      touches(at->second.tasks, next->second.tasks)) {
    append(at->second, next->second);
    gathered_.erase(next);
  }
}

void Recorder::flush() {
  const std::lock_guard writing(writing_);
  Gathered gathered;
  {
    const std::lock_guard lock(mutex_);
    if (error_) std::rethrow_exception(error_);
    gathered.swap(gathered_);
  }
  if (gathered.empty()) return;
  if (before_record_) before_record_();
  std::vector<BatchRecord> batches;
  for (auto& [key, record] : gathered) batches.push_back(std::move(record));
  journal_.record(run_, batches);
}

Recorder::Clock::duration Recorder::interval() const {
  const Clock::duration part = (Clock::now() - begin_) / kPartOfRun;
  return std::clamp<Clock::duration>(part, milliseconds(200), seconds(30));
}

void Recorder::write_now_and_then(std::stop_token stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, interval(), [] { return false; });
    }
    if (stop.stop_requested()) return;
    try {
      flush();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      return;
    }
  }
}

}  // namespace rechunk

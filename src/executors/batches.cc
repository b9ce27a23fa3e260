#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "rechunk/run.h"

namespace rechunk {
namespace {

// Workers that are ready early take the batches that others have not begun.
constexpr std::int64_t kBatchesPerWorker = 4;
// A batch that fails is run again as a whole, and a stop waits for its end.
constexpr std::int64_t kMaxBatchTasks = 16;

/// Batches that are to be run, and how that went.
struct Queue {
  std::span<const Step> batches;
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;

  void fail(std::exception_ptr why) {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(why);
    // The other threads take no further batch.
    next = batches.size();
  }
};

void work(Queue& queue, Run& run, std::stop_token stop,
          const BatchDone& done) noexcept {
  try {
    for (;;) {
      const std::size_t index = queue.next++;
      if (index >= queue.batches.size()) return;
      if (stop.stop_requested())
        throw Error(ErrorKind::kCancelled, "stopped on request");
      const StageReport report = run.run_step(queue.batches[index]);
      const std::lock_guard lock(queue.mutex);
      // With the lock, so that `done` is called by one thread at a time.
      done(queue.batches[index], report);
    }
  } catch (...) {
    queue.fail(std::current_exception());
  }
}

}  // namespace

std::vector<Step> batches_of(const Step& step, int workers) {
  const TaskRange& tasks = step.tasks;
  const std::int64_t parts = kBatchesPerWorker * std::max(1, workers);
  const std::int64_t length =
      std::clamp<std::int64_t>(tasks.count() / parts, 1, kMaxBatchTasks);
  std::vector<Step> batches;
  for (std::int64_t first = tasks.first; first < tasks.stop; first += length) {
    Step batch = step;
    batch.tasks.first = first;
    batch.tasks.stop = std::min(first + length, tasks.stop);
    batches.push_back(std::move(batch));
  }
  return batches;
}

void run_batches(Run& run, std::span<const Step> batches, std::stop_token stop,
                 const BatchDone& done) {
  Queue queue{.batches = batches};
  const auto threads =
      std::min<std::size_t>(batches.size(), run.plan().threads);
  {
    std::vector<std::jthread> others;
    for (std::size_t thread = 1; thread < threads; ++thread)
      others.emplace_back([&] { work(queue, run, stop, done); });
    work(queue, run, stop, done);
  }
  if (queue.error) std::rethrow_exception(queue.error);
}

}  // namespace rechunk

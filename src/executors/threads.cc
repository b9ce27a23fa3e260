#include "executors/table.h"
#include "rechunk/rechunk.h"

namespace rechunk {
namespace {

/// Everything in this process, where more is known than steps tell.
class ThreadsExecutor final : public Executor {
 public:
  Report run(Job& job, Observer* observer, std::stop_token stop) override {
    return job.run(observer, stop);
  }
};

}  // namespace

std::unique_ptr<Executor> make_threads_executor() {
  return std::make_unique<ThreadsExecutor>();
}

}  // namespace rechunk

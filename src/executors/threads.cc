#include "executors/table.h"
#include "rechunk/rechunk.h"

namespace rechunk {
namespace {

/// Runs everything in this process. The job can do more there than steps can
/// say.
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

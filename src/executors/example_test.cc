// The example of docs/guides/cpp-executor.md, word for word, and that it works.
#include <gtest/gtest.h>

#include "executors/testing.h"

// [example]
#include <future>
#include <stop_token>
#include <vector>

#include "rechunk/run.h"

/// Runs the batches of each step as futures: put your engine in their place.
class FuturesExecutor final : public rechunk::Executor {
 public:
  explicit FuturesExecutor(int workers) : workers_(workers) {}

  rechunk::Report run(rechunk::Job& job, rechunk::Observer* /*observer*/,
                      std::stop_token stop) override {
    rechunk::Run run(job);
    run.lead();
    try {
      for (const rechunk::Step& step : rechunk::steps_of(job.plan())) {
        if (stop.stop_requested())
          throw rechunk::Error(rechunk::ErrorKind::kCancelled, "stopped");
        run_step(run, step);
      }
      return run.commit();
    } catch (...) {
      run.fail();
    }
  }

 private:
  // A step ends when all its batches have, also if one of them throws: the
  // futures wait when they are destroyed.
  void run_step(rechunk::Run& run, const rechunk::Step& step) const {
    std::vector<std::future<void>> running;
    for (const rechunk::Step& batch : rechunk::batches_of(step, workers_))
      running.push_back(std::async(std::launch::async,
                                   [&run, batch] { run.run_step(batch); }));
    for (std::future<void>& batch : running) batch.get();
  }

  int workers_;
};
// [example]

namespace rechunk {
namespace {

TEST(Example, WritesTheSameTarget) {
  const Stores stores = testing::make_stores();
  Job job = testing::make_job(stores);
  FuturesExecutor(3).run(job, nullptr, {});
  EXPECT_EQ(testing::objects_in(*stores.target), testing::expected_target());
  EXPECT_TRUE(testing::objects_in(*stores.temp).empty());
}

}  // namespace
}  // namespace rechunk

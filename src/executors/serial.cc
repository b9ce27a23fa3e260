// The reference: one step after the other, as every executor must look from
// the outside.
#include "executors/run_meter.h"
#include "executors/table.h"
#include "rechunk/run.h"

namespace rechunk {
namespace {

class SerialExecutor final : public Executor {
 public:
  Report run(Job& job, Observer* observer, std::stop_token stop) override {
    RunMeter meter(job.plan(), observer);
    Run run(job);
    run.lead();
    try {
      for (const Step& step : steps_of(job.plan())) {
        for (const Step& batch : batches_of(step, 1)) {
          if (stop.stop_requested())
            throw Error(ErrorKind::kCancelled, "stopped on request");
          meter.add(batch, run.run_step(batch));
        }
      }
      return meter.finish(run.commit());
    } catch (...) {
      // Throws the error again, with a hint if the run can be resumed.
      run.fail();
    }
  }
};

}  // namespace

std::unique_ptr<Executor> make_serial_executor() {
  return std::make_unique<SerialExecutor>();
}

}  // namespace rechunk

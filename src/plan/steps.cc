#include <algorithm>

#include "plan/task_grid.h"
#include "rechunk/executor.h"

namespace rechunk {
namespace {

// Adds the steps of one array; `last` of each chain goes to `ends`.
class ArraySteps {
 public:
  ArraySteps(const StagedCopySpec& array, int index, std::vector<Step>& steps,
             std::vector<int>& ends)
      : index_(index), steps_(steps), ends_(ends) {
    for (const CopySpec& stage : array.stages)
      grids_.emplace_back(array.shape, array.component, stage.chunks);
  }

  void add(int max_chains) {
    const std::int64_t components = grids_[0].component_count();
    const std::int64_t length =
        std::max<std::int64_t>(1, ceil_div(components, max_chains));
    for (std::int64_t first = 0; first < components; first += length)
      add_chain(first, std::min(first + length, components));
  }

 private:
  // The stages of components [first, stop), one after the other.
  void add_chain(std::int64_t first, std::int64_t stop) {
    // Step 0 prepares the run. All others come after it.
    int before = 0;
    for (int stage = 0; stage < static_cast<int>(grids_.size()); ++stage) {
      before = add_step(Step::Kind::kCopy, stage, first, stop, before);
      if (stage > 0)
        ends_.push_back(
            add_step(Step::Kind::kRelease, stage - 1, first, stop, before));
    }
    ends_.push_back(before);
  }

  int add_step(Step::Kind kind, int stage, std::int64_t first,
               std::int64_t stop, int after) {
    const TaskGrid& grid = grids_[static_cast<std::size_t>(stage)];
    steps_.push_back(
        {kind,
         {index_, stage, grid.first_task(first), grid.first_task(stop)},
         {after}});
    return static_cast<int>(steps_.size()) - 1;
  }

  const int index_;
  std::vector<Step>& steps_;
  std::vector<int>& ends_;
  std::vector<TaskGrid> grids_;
};

}  // namespace

std::string_view to_string(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::kPrepare:
      return "prepare";
    case Step::Kind::kCopy:
      return "copy";
    case Step::Kind::kRelease:
      return "release";
    case Step::Kind::kCommit:
      return "commit";
  }
  return "copy";
}

std::vector<Step> steps_of(const Plan& plan, int max_chains) {
  std::vector<Step> steps{{.kind = Step::Kind::kPrepare}};
  std::vector<int> ends{0};
  for (std::size_t array = 0; array < plan.arrays.size(); ++array)
    ArraySteps(plan.arrays[array], static_cast<int>(array), steps, ends)
        .add(std::max(1, max_chains));
  steps.push_back({.kind = Step::Kind::kCommit, .after = ends});
  return steps;
}

}  // namespace rechunk

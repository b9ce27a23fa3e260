// The journal of a run that another process left, with anything in it. The
// object "plan.json" is a plan file; records get the hash that they must end
// with.
#include "base/text_hash.h"
#include "input.h"
#include "job/run_status.h"
#include "journal/journal.h"
#include "journal/run_lock.h"
#include "targets.h"

namespace rechunk::fuzz {
namespace {

/// Two arrays, of one and of two stages.
Plan small_plan() {
  StagedCopySpec direct, staged;
  direct.stages = {{.source = "source", .target = "target", .tasks = 3}};
  staged.stages = {
      {.source = "source", .target = "intermediate-1", .tasks = 2},
      {.source = "intermediate-1", .target = "target", .tasks = 4}};
  Plan plan;
  plan.arrays = {direct, staged};
  return plan;
}

void seal(Objects& objects) {
  for (auto& [key, text] : objects)
    if (key.starts_with("done/") && !text.ends_with('\n'))
      text += "\n" + text_hash(text) + "\n";
}

void check_tally(const Plan& plan, const Journal& journal) {
  const Tally done = tally(plan, journal.records(plan));
  for (std::size_t array = 0; array < plan.arrays.size(); ++array)
    for (std::size_t stage = 0; stage < plan.arrays[array].stages.size();
         ++stage) {
      const std::int64_t count =
          done.done.count(static_cast<int>(array), static_cast<int>(stage));
      require(count >= 0 && count <= plan.arrays[array].stages[stage].tasks,
              "more tasks are done than there are");
    }
  done.missing(plan);
}

}  // namespace

void fuzz_journal(std::string_view input) {
  Objects objects = parse_objects(input);
  seal(objects);
  const auto store = make_store(objects);
  std::string hash;
  succeeds([&] { hash = running_plan_hash(*store).value_or(""); });
  Journal journal(store, hash);
  succeeds([&] { journal.is_running(); });
  succeeds([&] { check_tally(small_plan(), journal); });
  succeeds([&] { read_status(*make_memory_store(), store); });
  succeeds([&] {
    if (const auto owner = owner_of(*store)) describe(*owner);
  });
  succeeds([&] { journal.erase(); });
  require(!running_plan_hash(*store), "an erased journal has a plan");
}

}  // namespace rechunk::fuzz

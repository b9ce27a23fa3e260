#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/plan_file.h"
#include "cli/spelling.h"
#include "cli/words.h"
#include "rechunk/run.h"

namespace rechunk::cli {
namespace {

using Json = nlohmann::ordered_json;

/// The words as a step of the plan. Throws: invalid_argument.
Step step_of(const Plan& plan, const TaskWords& words) {
  const auto fail = [](const std::string& what) {
    throw Error(ErrorKind::kInvalidArgument, "choosing tasks: " + what,
                "indices begin with 0, and task STOP itself does not run");
  };
  const auto arrays = static_cast<int>(plan.arrays.size());
  if (words.array >= arrays)
    fail(
        fmt::format("the plan has {} arrays, none is {}", arrays, words.array));
  const auto& stages = plan.arrays[words.array].stages;
  if (words.stage >= static_cast<int>(stages.size()))
    fail(fmt::format("array {} has {} stages, none is {}", words.array,
                     stages.size(), words.stage));
  const std::int64_t tasks = stages[words.stage].tasks;
  if (!words.all && words.stop > tasks)
    fail(fmt::format("stage {} of array {} has {} tasks, no {}..{}",
                     words.stage, words.array, tasks, words.first, words.stop));
  return {.array = words.array,
          .stage = words.stage,
          .first = words.all ? 0 : words.first,
          .stop = words.all ? tasks : words.stop};
}

/// Begins a run or joins it; false if it is over already.
bool begin(Run& run) {
  try {
    run.prepare();
    return true;
  } catch (const Error&) {
    if (run.committed()) return false;
    throw;
  }
}

StageReport run_tasks(Run& run, const Step& step) {
  const Interrupt interrupt;
  StageReport sum;
  run_batches(run, batches_of(step, run.plan().threads), interrupt.token(),
              [&](const Step&, const StageReport& report) { sum += report; });
  return sum;
}

std::string json_text(const Step& step, const StageReport& report,
                      bool committed) {
  Json json = {{"array", step.array},
               {"stage", step.stage},
               {"first", step.first},
               {"stop", step.stop},
               {"committed", committed}};
  json.update(Json::parse(to_json(report)));
  return json.dump(2) + "\n";
}

}  // namespace

int run_task(const Arguments& arguments) {
  const TaskWords words = parse_tasks(arguments);
  Job job = load_plan(arguments.plan_file);
  const Step step = step_of(job.plan(), words);
  Run run(job);
  StageReport report;
  bool committed = false;
  if (begin(run)) {
    report = run_tasks(run, step);
    // Several processes may find the run complete. All of them commit the same.
    committed = run.complete();
    if (committed) run.commit();
  }
  // Another process may have committed the run.
  const bool over = committed || run.committed();
  std::fprintf(stderr, "done     tasks %lld..%lld of stage %d of array %d%s\n",
               static_cast<long long>(step.first),
               static_cast<long long>(step.stop), step.stage, step.array,
               over ? "; the target is complete" : "");
  if (arguments.json) write_stdout(json_text(step, report, committed));
  return 0;
}

int run_commit(const Arguments& arguments) {
  Job job = load_plan(arguments.plan_file);
  const Report report = Run(job).commit();
  if (report.arrays.size() < job.plan().arrays.size())
    std::fputs("done     already, there was nothing left to do\n", stderr);
  else
    std::fputs(describe_report(job.plan(), report).c_str(), stderr);
  print_notes(report.notes);
  if (arguments.json) write_stdout(to_json(job.plan(), report, in_flags));
  return 0;
}

}  // namespace rechunk::cli

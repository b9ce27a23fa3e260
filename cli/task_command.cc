#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/plan_file.h"
#include "cli/spelling.h"
#include "cli/storage.h"
#include "cli/words.h"
#include "rechunk/run.h"

namespace rechunk::cli {
namespace {

using Json = nlohmann::ordered_json;

/// The words as tasks of the plan. Throws: invalid_argument.
TaskRange tasks_of(const Plan& plan, const TaskWords& words) {
  TaskRange tasks = words.tasks;
  const auto fail = [](const std::string& what) {
    throw Error(ErrorKind::kInvalidArgument, "choosing tasks: " + what,
                "indices begin with 0, and task STOP itself does not run");
  };
  const auto arrays = static_cast<int>(plan.arrays.size());
  if (tasks.array >= arrays)
    fail(
        fmt::format("the plan has {} arrays, none is {}", arrays, tasks.array));
  const auto& stages = plan.arrays[tasks.array].stages;
  if (tasks.stage >= static_cast<int>(stages.size()))
    fail(fmt::format("array {} has {} stages, none is {}", tasks.array,
                     stages.size(), tasks.stage));
  const std::int64_t count = stages[tasks.stage].tasks;
  if (words.all) tasks.stop = count;
  if (tasks.stop > count)
    fail(fmt::format("stage {} of array {} has {} tasks, no {}..{}",
                     tasks.stage, tasks.array, count, tasks.first, tasks.stop));
  return tasks;
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

StageReport run_tasks(Run& run, const TaskRange& tasks) {
  const Interrupt interrupt;
  StageReport sum;
  run_batches(run, batches_of({.tasks = tasks}, run.plan().threads),
              interrupt.token(),
              [&](const Step&, const StageReport& report) { sum += report; });
  return sum;
}

std::string json_text(const TaskRange& tasks, const StageReport& report,
                      bool committed) {
  Json json = {{"array", tasks.array},
               {"stage", tasks.stage},
               {"first", tasks.first},
               {"stop", tasks.stop},
               {"committed", committed}};
  json.update(Json::parse(to_json(report)));
  return json.dump(2) + "\n";
}

}  // namespace

int run_task(const Arguments& arguments) {
  const TaskWords words = parse_tasks(arguments);
  Job job = load_plan(arguments.plan_file, make_storage(arguments));
  const TaskRange tasks = tasks_of(job.plan(), words);
  Run run(job);
  StageReport report;
  bool committed = false;
  if (begin(run)) {
    report = run_tasks(run, tasks);
    // Several processes may find the run complete. All of them commit the same.
    committed = run.complete();
    if (committed) run.commit();
  }
  // Another process may have committed the run.
  const bool over = committed || run.committed();
  std::fprintf(stderr, "done     tasks %lld..%lld of stage %d of array %d%s\n",
               static_cast<long long>(tasks.first),
               static_cast<long long>(tasks.stop), tasks.stage, tasks.array,
               over ? "; the target is complete" : "");
  if (arguments.json) write_stdout(json_text(tasks, report, committed));
  return 0;
}

int run_commit(const Arguments& arguments) {
  Job job = load_plan(arguments.plan_file, make_storage(arguments));
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

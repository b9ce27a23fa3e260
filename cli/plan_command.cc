#include "cli/commands.h"
#include "cli/output.h"
#include "cli/plan_file.h"
#include "cli/spelling.h"
#include "cli/storage.h"
#include "cli/words.h"

namespace rechunk::cli {
namespace {

Plan plan_on_paper(const Arguments& arguments, const Options& options) {
  if (!arguments.source.empty())
    throw UsageError("planning: both SOURCE and --shape are given",
                     "--shape plans for an array that does not have to exist");
  if (!arguments.plan_file.empty())
    throw UsageError("planning: both --save and --shape are given",
                     "a plan without an array has no tasks");
  return rechunk::plan_on_paper(make_paper_array(arguments), options);
}

struct Planned {
  Plan plan;
  std::string parts;
};

Planned plan_of(const Arguments& arguments) {
  Options options = make_options(arguments);
  // A plan file is for other processes, perhaps on other machines.
  if (!arguments.plan_file.empty() && !options.calibrate)
    options.calibrate = false;
  if (!arguments.shape.empty()) return {plan_on_paper(arguments, options), ""};
  if (arguments.target.empty())
    throw UsageError("planning: SOURCE or TARGET is missing",
                     "give both, or --shape, --dtype and --source-chunks "
                     "to plan without an array");
  const Storage storage = make_storage(arguments);
  const Job job(arguments.source, arguments.target, options,
                {.storage = storage});
  if (!arguments.plan_file.empty())
    save_plan(job, arguments.plan_file, storage);
  return {job.plan(), describe_parts(job)};
}

}  // namespace

int run_plan(const Arguments& arguments) {
  const auto [plan, parts] = plan_of(arguments);
  if (arguments.json)
    write_stdout(rechunk::to_json(plan, in_flags) + "\n");
  else
    write_stdout(describe_plan(plan, {.explain = arguments.explain,
                                      .style = style_of(stdout)}) +
                 parts);
  print_notes(plan.notes);
  return 0;
}

}  // namespace rechunk::cli

#include <cstdio>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace rechunk::cli {
namespace {

/// So many arrays fit one screen.
constexpr std::size_t kMaxArraysShown = 5;

}  // namespace

int run_run(const Arguments& arguments) {
  const Options options = make_options(arguments);
  const Interrupt interrupt;
  Job job(arguments.source, arguments.target, options);
  const PlanView view{.explain = arguments.explain,
                      .max_arrays = kMaxArraysShown,
                      .style = style_of(stderr)};
  std::fputs(describe_plan(job.plan(), view).c_str(), stderr);

  auto progress = make_progress_bar();
  const Report report = job.run(progress.get(), interrupt.token());
  progress.reset();

  std::fputs(describe_report(job.plan(), report).c_str(), stderr);
  if (arguments.json) write_stdout(to_json(job.plan(), report));
  return 0;
}

}  // namespace rechunk::cli

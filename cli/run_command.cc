#include <cstdio>
#include <functional>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/spelling.h"
#include "cli/storage.h"

namespace rechunk::cli {
namespace {

/// A screen has room for so many arrays.
constexpr std::size_t kMaxArraysShown = 5;

std::unique_ptr<Executor> choose_executor(const std::string& name) {
  try {
    return make_executor(name.empty() ? "threads" : name);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInvalidArgument) throw UsageError(error);
    throw;
  }
}

/// The target is finished. Files that are left beside it are untidy, but no
/// error.
void warn_of_leftovers(const Job& job) {
  try {
    for (const std::string& place : job.leftovers())
      print_warning(place + " could not be removed",
                    "the target does not need it, you can remove it");
  } catch (const Error& error) {
    print_warning(error);
  }
}

/// A process of a team prints nothing. Only the first one does.
void help(Executor& executor, Job& job, const Interrupt& interrupt) {
  executor.run(job, nullptr, interrupt.token());
}

using MakeJob = std::function<Job(const Team&)>;

void lead(Executor& executor, Job& job, const Interrupt& interrupt,
          const Arguments& arguments) {
  const PlanView view{.explain = arguments.explain,
                      .max_arrays = kMaxArraysShown,
                      .style = style_of(stderr)};
  std::fputs(describe_plan(job.plan(), view).c_str(), stderr);
  std::fputs(describe_parts(job).c_str(), stderr);
  print_notes(job.plan().notes);

  auto progress = make_progress_bar();
  const Report report = executor.run(job, progress.get(), interrupt.token());
  // Clears its line before the report is printed.
  progress.reset();

  std::fputs(describe_report(job.plan(), report).c_str(), stderr);
  print_notes(report.notes);
  if (arguments.json) write_stdout(to_json(job.plan(), report, in_flags));
  warn_of_leftovers(job);
}

int run_job(const Arguments& arguments, const MakeJob& make_job) {
  const Interrupt interrupt;
  const auto executor = choose_executor(arguments.executor);
  const Team team = executor->team();
  try {
    Job job = executor->share([&] { return make_job(team); });
    if (team.rank == 0)
      lead(*executor, job, interrupt, arguments);
    else
      help(*executor, job, interrupt);
    return 0;
  } catch (const Error& error) {
    // Printed here and not in main. When the team has parted, mpirun may end
    // the processes that are left.
    if (team.rank == 0) print_error(error);
    return exit_code(error);
  }
}

}  // namespace

int run_run(const Arguments& arguments) {
  Options options = make_options(arguments);
  return run_job(arguments, [&](const Team& team) {
    // Processes of one machine share what it has.
    if (options.max_memory == 0)
      options.max_memory =
          with_defaults(options).max_memory / team.processes_here;
    // What one process measures, others need not find.
    if (team.processes > 1 && !options.calibrate) options.calibrate = false;
    return Job(arguments.source, arguments.target, options,
               {.storage = make_storage(arguments)});
  });
}

int run_resume(const Arguments& arguments) {
  const int threads = make_options(arguments).threads;
  const Storage storage = make_storage(arguments);
  if (tidy_up(arguments.target, storage.for_target(arguments.target))) {
    std::fputs("done     already, there was nothing left to do\n", stderr);
    return 0;
  }
  return run_job(arguments, [&](const Team&) {
    return Job::unfinished(arguments.target, threads, arguments.check, storage);
  });
}

}  // namespace rechunk::cli

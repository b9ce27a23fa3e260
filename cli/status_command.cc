#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <ctime>

#include "base/byte_size.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/storage.h"

namespace rechunk::cli {
namespace {

using State = Status::State;

std::string owner_text(const Status& status) {
  const std::time_t since = status.since;
  std::tm local{};
  localtime_r(&since, &local);
  return fmt::format("by process {} of {} on {}, since {:%Y-%m-%d %H:%M:%S}",
                     status.pid, status.user, status.host, local);
}

std::string table_text(const Status& status) {
  std::vector<std::vector<std::string>> rows;
  for (const Status::Array& array : status.arrays)
    for (std::size_t stage = 0; stage < array.tasks.size(); ++stage)
      rows.push_back(
          {array.name.empty() ? "(root)" : array.name,
           fmt::format("stage {}", stage + 1),
           fmt::format("{} of {} tasks done", array.tasks_done[stage],
                       array.tasks[stage])});
  return format_table(rows);
}

std::string text(const Status& status) {
  const Progress& progress = status.progress;
  std::string line{to_string(status.state)};
  if (status.state == State::kRunning || status.state == State::kStopped)
    line +=
        fmt::format("   {} of {} tasks done, {} of {}", progress.tasks_done,
                    progress.tasks_total, format_byte_size(progress.bytes_done),
                    format_byte_size(progress.bytes_total));
  if (status.pid != 0) line += "\n          " + owner_text(status);
  return line + "\n" + table_text(status);
}

}  // namespace

int run_status(const Arguments& arguments) {
  const Status found = status(
      arguments.target, make_storage(arguments).for_target(arguments.target));
  if (found.state == State::kAbsent)
    throw Error(ErrorKind::kNotFound, "looking at " + arguments.target +
                                          ": there is no target and no run");
  write_stdout(arguments.json ? to_json(found) : text(found));
  return 0;
}

int run_discard(const Arguments& arguments) {
  Job job =
      Job::unfinished(arguments.target, 0, false, make_storage(arguments));
  job.discard();
  std::fputs(
      job.into_existing()
          ? "dropped  the run; data already overwritten is not restored\n"
          : "removed  everything that the run had written\n",
      stderr);
  return 0;
}

}  // namespace rechunk::cli

// rechunk: changes the chunking of Zarr arrays. Parses the command line, calls
// a subcommand, and turns failures into messages and exit codes: 0 done, 1 the
// request failed, 2 wrong usage, 130 interrupted.
#include <csignal>
#include <exception>
#include <functional>
#include <new>
#include <system_error>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/parse.h"

namespace {

using rechunk::Error;
using rechunk::cli::exit_code;
using rechunk::cli::print_error;

/// Runs the program; what leaves `program` is reported on stderr.
int report_failures(const std::function<int()>& program) {
  try {
    return program();
  } catch (const Error& error) {
    print_error(error);
    return exit_code(error);
  } catch (const std::bad_alloc&) {
    print_error("out of memory", "use a smaller --max-memory");
  } catch (const std::system_error& error) {
    const bool passing =
        error.code() == std::errc::resource_unavailable_try_again;
    print_error(passing
                    ? "cannot start a thread: no memory or no process is left"
                    : error.what(),
                passing ? "free some memory, or use fewer --threads"
                        : "this is a bug in rechunk, please report it");
  } catch (const std::exception& error) {
    print_error(error.what(), "this is a bug in rechunk, please report it");
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away (rechunk info x | head -1) must not kill a run.
  std::signal(SIGPIPE, SIG_IGN);
  return report_failures([&] {
    const auto call = rechunk::cli::parse_command_line(argc, argv);
    return call.command(call.arguments);
  });
}

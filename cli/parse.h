// From argv to a subcommand and its arguments.
#pragma once

#include <functional>

#include "cli/flags.h"

namespace rechunk::cli {

struct Call {
  std::function<int(const Arguments&)> command;
  Arguments arguments;
};

/// --help and --version become commands that print.
/// Throws: UsageError; its hint says what was probably meant.
Call parse_command_line(int argc, const char* const* argv);

}  // namespace rechunk::cli

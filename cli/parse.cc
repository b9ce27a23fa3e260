#include "cli/parse.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"

namespace rechunk::cli {
namespace {

constexpr const char* kSummary =
    "Changes the chunking of Zarr arrays of any size, inside a memory limit.";
constexpr const char* kFooter = R"(
Examples:
  rechunk info by-hour.zarr
  rechunk plan by-hour.zarr by-place.zarr --chunks time=all,lat=10,lon=10
  rechunk run by-hour.zarr by-place.zarr --chunks time=all,lat=10,lon=10 \
      --max-memory 2GiB --verify

rechunk COMMAND --help shows the flags of a command.
Exit codes: 0 done, 1 failed or different, 2 wrong usage, 130 interrupted.)";

struct Positional {
  const char* name = "";
  const char* help = "";
};

struct Command {
  const char* name;
  const char* summary;
  CommandBit bit;
  int (*run)(const Arguments& arguments);
  bool operands_required;
  Positional source, target;  ///< No name: the command takes none.
};

constexpr Positional kSource = {"SOURCE",
                                "Array or group to read: a path or URL"};
constexpr Positional kTarget = {"TARGET", "Where the result goes"};

const Command kCommands[] = {
    {"plan", "Show what a run would do, and what it would cost", kPlanBit,
     run_plan, false, kSource, kTarget},
    {"run", "Write SOURCE to TARGET in other chunks", kRunBit, run_run, true,
     kSource, kTarget},
    {"verify",
     "Compare all elements of two arrays or groups",
     kVerifyBit,
     run_verify,
     true,
     {"A", "Array or group"},
     {"B", "Array or group"}},
    {"info",
     "List the arrays below a path or URL",
     kInfoBit,
     run_info,
     true,
     {"URL", "Array or group: a path or URL"},
     {}},
};

void add_positional(CLI::App& app, const Positional& positional, bool required,
                    std::string& word) {
  if (!*positional.name) return;
  app.add_option(positional.name, word, positional.help)
      ->required(required)
      ->option_text(" ")
      ->group("Operands");
}

void add_command(CLI::App& app, const Command& command, Call& call) {
  CLI::App* sub = app.add_subcommand(command.name, command.summary);
  sub->footer("");
  add_positional(*sub, command.source, command.operands_required,
                 call.arguments.source);
  add_positional(*sub, command.target, command.operands_required,
                 call.arguments.target);
  add_flags(*sub, command.bit, call.arguments);
  sub->callback([&call, &command] { call.command = command.run; });
}

/// The subcommand whose command line it is; the program where there is none.
const CLI::App& chosen(const CLI::App& app) {
  const auto subcommands = app.get_subcommands();
  return subcommands.empty() ? app : *subcommands.front();
}

[[noreturn]] void fail(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = chosen(app);
  const std::vector<std::string> unexpected = app.remaining(true);
  std::string hint = suggest(command, unexpected);
  if (hint.empty())
    hint = fmt::format(
        "{} --help shows what there is",
        &command == &app ? "rechunk" : "rechunk " + command.get_name());
  if (!unexpected.empty())
    throw UsageError(
        fmt::format("reading the command line: \"{}\" was not expected",
                    unexpected.front()),
        hint);
  throw UsageError(fmt::format("reading the command line: {}", error.what()),
                   hint);
}

Call printing(std::string text) {
  Call call;
  call.command = [text = std::move(text)](const Arguments&) {
    write_stdout(text);
    return 0;
  };
  return call;
}

}  // namespace

Call parse_command_line(int argc, const char* const* argv) {
  Call call;
  CLI::App app(kSummary, "rechunk");
  app.footer(kFooter);
  app.set_version_flag("--version", "rechunk " RECHUNK_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(26);
  for (const Command& command : kCommands) add_command(app, command, call);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return printing(app.help());
  } catch (const CLI::CallForVersion& version) {
    return printing(std::string(version.what()) + "\n");
  } catch (const CLI::ParseError& error) {
    fail(app, error);
  }
  return call;
}

}  // namespace rechunk::cli

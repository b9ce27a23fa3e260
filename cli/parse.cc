#include "cli/parse.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "codec/codec_spec_text.h"
#include "rechunk/store.h"

namespace rechunk::cli {
namespace {

constexpr const char* kSummary =
    "Changes the chunking of Zarr arrays of any size within a memory limit.";
/// Takes the stores and the codecs that there are.
constexpr const char* kFooter = R"(
Examples:
  rechunk info by-hour.zarr
  rechunk plan by-hour.zarr by-place.zarr --chunks time=all,lat=10,lon=10
  rechunk run by-hour.zarr by-place.zarr --chunks time=all,lat=10,lon=10 \
      --max-memory 2GiB --verify

rechunk COMMAND --help shows the flags of a command.
Arrays and groups lie at {}.
Codecs: {}.
Exit codes: 0 done, 1 failed or different, 2 wrong usage, 130 interrupted.)";

struct Operand {
  const char* name;
  const char* help;
  std::string Arguments::*field;
};

struct Command {
  const char* name;
  const char* summary;
  CommandBit bit;
  int (*run)(const Arguments& arguments);
  bool operands_required;
  std::vector<Operand> operands;
};

constexpr Operand kSource = {"SOURCE", "Array or group to read: a path or URL",
                             &Arguments::source};
constexpr Operand kTarget = {"TARGET", "Where the result goes",
                             &Arguments::target};
constexpr Operand kUnfinished = {"TARGET", "Target of the unfinished run",
                                 &Arguments::target};
constexpr Operand kPlanFile = {"PLAN.json",
                               "File that `rechunk plan --save` wrote",
                               &Arguments::plan_file};

const Command kCommands[] = {
    {"plan",
     "Show what a run would do, and what it would cost",
     kPlanBit,
     run_plan,
     false,
     {kSource, kTarget}},
    {"run",
     "Write SOURCE to TARGET with other chunks",
     kRunBit,
     run_run,
     true,
     {kSource, kTarget}},
    {"resume",
     "Continue a run that was stopped, was killed or failed",
     kResumeBit,
     run_resume,
     true,
     {kUnfinished}},
    {"status",
     "Show the progress of a run, and which process runs it",
     kStatusBit,
     run_status,
     true,
     {kUnfinished}},
    {"discard",
     "Delete what an unfinished run left behind",
     kDiscardBit,
     run_discard,
     true,
     {kUnfinished}},
    {"verify",
     "Compare all elements of two arrays or groups",
     kVerifyBit,
     run_verify,
     true,
     {{"A", "Array or group", &Arguments::source},
      {"B", "Array or group", &Arguments::target}}},
    {"info",
     "List the arrays below a path or URL",
     kInfoBit,
     run_info,
     true,
     {{"URL", "Array or group: a path or URL", &Arguments::source}}},
    {"task",
     "Run some tasks of a saved plan, as one process of many",
     kTaskBit,
     run_task,
     true,
     {kPlanFile,
      {"ARRAY", "Index of the array in the plan, from 0", &Arguments::array},
      {"STAGE", "Index of its stage, from 0", &Arguments::stage},
      {"TASKS", "FIRST..STOP, from 0, without STOP itself; or all",
       &Arguments::tasks}}},
    {"commit",
     "Complete the run of a saved plan when all its tasks are done",
     kCommitBit,
     run_commit,
     true,
     {kPlanFile}},
};

void add_operand(CLI::App& app, const Operand& operand, bool required,
                 std::string& word) {
  app.add_option(operand.name, word, operand.help)
      ->required(required)
      ->option_text(" ")
      ->group("Operands");
}

void add_command(CLI::App& app, const Command& command, Call& call) {
  CLI::App* sub = app.add_subcommand(command.name, command.summary);
  sub->footer("");
  for (const Operand& operand : command.operands)
    add_operand(*sub, operand, command.operands_required,
                call.arguments.*operand.field);
  add_flags(*sub, command.bit, call.arguments);
  sub->callback([&call, &command] { call.command = command.run; });
}

/// The subcommand that was given; the program if none was given.
const CLI::App& chosen(const CLI::App& app) {
  const auto subcommands = app.get_subcommands();
  return subcommands.empty() ? app : *subcommands.front();
}

/// What the parser says, in our words: "--chunks: At Most 1 required but
/// received 2", "--threads: 1 required N missing", "URL is required".
std::string cause(const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::string name = text.substr(0, text.find_first_of(": "));
  const auto holds = [&](std::string_view words) {
    return text.find(words) != std::string::npos;
  };
  if (holds("At Most 1 required")) return name + " is given more than once";
  if (holds("1 required") && holds("missing"))
    return name + " needs a value after it";
  if (holds("subcommand is required")) return "no command is given";
  if (holds(" is required")) return name + " is missing";
  return text;
}

[[noreturn]] void fail(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = chosen(app);
  const std::vector<std::string> unexpected = app.remaining(true);
  std::string hint = suggest(command, unexpected);
  if (hint.empty())
    hint = fmt::format(
        "{} --help shows the usage",
        &command == &app ? "rechunk" : "rechunk " + command.get_name());
  if (!unexpected.empty())
    throw UsageError(
        fmt::format("reading the command line: \"{}\" was not expected",
                    unexpected.front()),
        hint);
  throw UsageError(fmt::format("reading the command line: {}", cause(error)),
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
  app.footer(fmt::format(kFooter, known_places(), known_codecs()));
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

#include "cli/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <random>
#include <utility>
#include <variant>

#include "base/byte_size.h"
#include "cli/array_words.h"
#include "codec/codec_spec_text.h"
#include "plan/chunk_spec.h"

namespace rechunk::cli {
namespace {

constexpr unsigned kLayoutBits = kPlanBit | kRunBit;
constexpr unsigned kAllBits = ~0u;

/// Where a flag's value goes; its type says what the flag takes.
using Field =
    std::variant<std::string Arguments::*,
                 std::vector<std::string> Arguments::*, bool Arguments::*>;

struct Flag {
  const char* names;
  const char* value;  ///< Name of the value in the help; "" for switches.
  unsigned commands;
  Field field;
  const char* group;
  const char* help;
};

constexpr const char* kTargetGroup = "Target";
constexpr const char* kResources = "Memory and time";
constexpr const char* kConduct = "Behaviour";
constexpr const char* kOutput = "Output";
constexpr const char* kPaper = "Without a source";

const Flag kFlags[] = {
    {"-c,--chunks", "CHUNKS", kLayoutBits, &Arguments::chunks, kTargetGroup,
     "Chunks of the target: 350640,10,10 or time=all,lat=10 or all or "
     "auto:100MB. A dimension that is not named keeps the source's chunks"},
    {"--array", "NAME:CHUNKS", kLayoutBits, &Arguments::arrays, kTargetGroup,
     "Chunks of one array of a group. May be given several times"},
    {"--shards", "CHUNKS", kLayoutBits, &Arguments::shards, kTargetGroup,
     "Shards of the target, written as chunks are; \"none\" writes no shards "
     "(default: as in the source)"},
    {"--codec", "CODEC", kLayoutBits, &Arguments::codec, kTargetGroup,
     "Codecs of the target: zstd:3, blosc:lz4:5, gzip:6 or none, several "
     "joined by +, or JSON (default: as in the source)"},
    {"--array-codec", "NAME:CODEC", kLayoutBits, &Arguments::array_codecs,
     kTargetGroup, "Codec of one array of a group. May be given several times"},
    {"--zarr-format", "2|3", kLayoutBits, &Arguments::zarr_format, kTargetGroup,
     "Zarr format of the target (default: as the source)"},
    {"--nan-attributes", "keep|text", kLayoutBits, &Arguments::nan_attributes,
     kTargetGroup,
     "text: write NaN in attributes as a string, because NaN is not valid "
     "JSON; keep (default): copy it"},
    {"--consolidate", "", kLayoutBits, &Arguments::consolidate, kTargetGroup,
     "Write consolidated metadata (default: if the source has it)"},
    {"--no-consolidate", "", kLayoutBits, &Arguments::no_consolidate,
     kTargetGroup, "Do not write consolidated metadata"},
    {"--write-empty-chunks", "", kLayoutBits, &Arguments::write_empty_chunks,
     kTargetGroup, "Also write chunks that hold only the fill value"},

    {"--region", "RANGES", kLayoutBits, &Arguments::region, kTargetGroup,
     "Write into this part of a TARGET that exists: time=0:8760,lat=90: or "
     "all. The target keeps its layout"},
    {"--append", "DIM", kLayoutBits, &Arguments::append, kTargetGroup,
     "Write SOURCE after the end of a TARGET that exists, along this "
     "dimension"},

    {"-m,--max-memory", "SIZE", kLayoutBits | kVerifyBit,
     &Arguments::max_memory, kResources,
     "Memory for data: 2GiB, 500MB, ... (default: half of the memory of the "
     "machine or its cgroup)"},
    {"-j,--threads", "N", kLayoutBits | kVerifyBit | kResumeBit,
     &Arguments::threads, kResources, "Threads (default: one per core)"},
    {"--temp", "URL", kLayoutBits, &Arguments::temp, kResources,
     "Folder for intermediates (default: a hidden folder beside the target)"},

    {"--calibrate", "auto|off", kLayoutBits, &Arguments::calibrate, kResources,
     "auto: measure a few of the source's chunks and the disk before "
     "planning; off (default): plan with estimates, so that every run gets "
     "the same plan"},

    {"--overwrite", "", kLayoutBits, &Arguments::overwrite, kConduct,
     "Replace a target that exists. The old one stays until the new one is "
     "complete"},
    {"--overwrite-in-place", "", kLayoutBits, &Arguments::overwrite_in_place,
     kConduct, "Erase a target that exists, then write the new one"},
    {"--verify", "", kLayoutBits, &Arguments::verify, kConduct,
     "Read the target again and compare it with what was read"},
    {"--strict", "", kLayoutBits, &Arguments::strict, kConduct,
     "Fail if an array would keep its chunks, or if a reader could see "
     "other values afterwards"},
    {"--without-files", "", kLayoutBits, &Arguments::without_files, kConduct,
     "Do not copy files of SOURCE that are not Zarr (default: copy them)"},
    {"--keep-temp", "", kLayoutBits, &Arguments::keep_temp, kConduct,
     "Do not delete the intermediates"},
    {"--durable", "", kLayoutBits, &Arguments::durable, kConduct,
     "Sync the disk before a task counts as done, so that finished tasks "
     "survive a power failure"},
    {"--check", "", kResumeBit, &Arguments::check, kConduct,
     "Re-read finished objects and compare them with the journal"},
    {"--executor", "NAME", kRunBit | kResumeBit, &Arguments::executor, kConduct,
     "What runs the plan: threads (default), serial, or mpi under mpirun"},

    {"--sample", "N", kVerifyBit, &Arguments::sample, kConduct,
     "Compare only N random regions of each array: faster than comparing "
     "everything"},
    {"--seed", "N", kVerifyBit, &Arguments::seed, kConduct,
     "The same seed draws the same regions"},

    {"--json", "", kAllBits & ~kDiscardBit, &Arguments::json, kOutput,
     "Print one JSON object to stdout"},
    {"--explain", "", kLayoutBits, &Arguments::explain, kOutput,
     "Explain why this plan was chosen"},

    {"--save", "PLAN.json", kPlanBit, &Arguments::plan_file, kOutput,
     "Write the plan to a file. `rechunk task` runs its tasks"},

    {"--shape", "LENGTHS", kPlanBit, &Arguments::shape, kPaper,
     "Shape of an array that does not have to exist: 350640,721,1440"},
    {"--dtype", "TYPE", kPlanBit, &Arguments::dtype, kPaper,
     "Its data type: f4, <i2, ..."},
    {"--source-chunks", "CHUNKS", kPlanBit, &Arguments::source_chunks, kPaper,
     "Its chunks: 31,721,1440"},
    {"--source-shards", "CHUNKS", kPlanBit, &Arguments::source_shards, kPaper,
     "Its shards, if it has any"},
};

/// Breaks lines between words; the parser's help does not.
std::string wrap(std::string_view text) {
  constexpr std::size_t kColumns = 56;
  std::string wrapped;
  while (text.size() > kColumns) {
    const auto space = text.rfind(' ', kColumns);
    wrapped += std::string(text.substr(0, space)) + "\n";
    text = text.substr(space + 1);
  }
  return wrapped + std::string(text);
}

/// Adds one flag; overloads by what it takes.
CLI::Option* add(CLI::App& app, const Flag& flag, std::string& word) {
  return app.add_option(flag.names, word, wrap(flag.help));
}
CLI::Option* add(CLI::App& app, const Flag& flag,
                 std::vector<std::string>& words) {
  return app.add_option(flag.names, words, wrap(flag.help))
      ->allow_extra_args(false);
}
CLI::Option* add(CLI::App& app, const Flag& flag, bool& on) {
  return app.add_flag(flag.names, on, wrap(flag.help));
}

/// Runs `parse`; what it throws is the user's mistake in `flag`.
template <class Parse>
auto interpret(const char* flag, Parse&& parse) {
  try {
    return parse();
  } catch (const Error& error) {
    throw UsageError(error.with_context(flag));
  }
}

template <class Number>
Number parse_number(const char* flag, std::string_view word, Number lowest,
                    Number highest) {
  Number number = 0;
  const auto end = word.data() + word.size();
  const auto parsed = std::from_chars(word.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < lowest ||
      number > highest)
    throw UsageError(fmt::format("{}: \"{}\" is not a number from {} to {}",
                                 flag, word, lowest, highest));
  return number;
}

std::int64_t parse_max_memory(const std::string& word) {
  if (word.empty()) return default_max_memory();
  const std::int64_t bytes =
      interpret("--max-memory", [&] { return parse_byte_size(word); });
  if (bytes < 1) throw UsageError("--max-memory: nothing can be done in 0 B");
  return bytes;
}

Shape parse_shape(const std::string& text) {
  Shape shape;
  std::string_view rest = text;
  for (;;) {
    const auto comma = rest.find(',');
    std::string_view word = rest.substr(0, comma);
    std::int64_t length = -1;
    while (word.starts_with(' ')) word.remove_prefix(1);
    const auto end = word.data() + word.size();
    const auto parsed = std::from_chars(word.data(), end, length);
    if (parsed.ec != std::errc() || parsed.ptr != end || length < 0)
      throw UsageError(
          fmt::format("--shape {}: \"{}\" is not a length", text, word),
          "write a length per dimension: 350640,721,1440");
    shape.push_back(length);
    if (comma == std::string_view::npos) return shape;
    rest = rest.substr(comma + 1);
  }
}

bool is_auto(const ChunkLength& length) {
  return length.kind == ChunkLength::Kind::kAuto;
}

/// Chunks of an array on paper; "all" means what it always means.
Shape parse_paper_chunks(const char* flag, const std::string& word,
                         const Shape& shape) {
  return interpret(flag, [&] {
    const ChunkSpec spec = parse_chunk_spec(word);
    if ((spec.everywhere && is_auto(*spec.everywhere)) ||
        std::any_of(spec.by_position.begin(), spec.by_position.end(), is_auto))
      throw UsageError("a layout that exists cannot be \"auto\"");
    return resolve_chunks(spec, {.shape = shape,
                                 .current_chunks = shape,
                                 .dimension_names = {},
                                 .item_bytes = 1});
  });
}

/// A target that exists keeps its layout, and everything else in it.
void check_existing(const Arguments& arguments) {
  if (arguments.region.empty() && arguments.append.empty()) return;
  const char* flag = arguments.region.empty() ? "--append" : "--region";
  const std::pair<const char*, bool> others[] = {
      {"--append", !arguments.region.empty() && !arguments.append.empty()},
      {"--chunks", !arguments.chunks.empty()},
      {"--array", !arguments.arrays.empty()},
      {"--shards", !arguments.shards.empty()},
      {"--codec", !arguments.codec.empty()},
      {"--array-codec", !arguments.array_codecs.empty()},
      {"--zarr-format", !arguments.zarr_format.empty()},
      {"--consolidate", arguments.consolidate},
      {"--no-consolidate", arguments.no_consolidate},
      {"--overwrite", arguments.overwrite},
      {"--overwrite-in-place", arguments.overwrite_in_place}};
  for (const auto& [other, given] : others)
    if (given)
      throw UsageError(fmt::format("{} and {} exclude each other", flag, other),
                       "a target that exists keeps its layout, and everything "
                       "that is not written");
}

}  // namespace

void add_flags(CLI::App& command, CommandBit bit, Arguments& arguments) {
  for (const Flag& flag : kFlags) {
    if (!(flag.commands & bit)) continue;
    CLI::Option* option = std::visit(
        [&](auto field) { return add(command, flag, arguments.*field); },
        flag.field);
    option->group(flag.group);
    if (*flag.value) option->type_name(flag.value)->option_text(flag.value);
  }
}

Options make_options(const Arguments& arguments) {
  Options options;
  check_existing(arguments);
  options.region = arguments.region;
  options.append = arguments.append;
  if (!arguments.chunks.empty())
    interpret("--chunks", [&] { return parse_chunk_spec(arguments.chunks); });
  options.chunks = arguments.chunks;
  check_array_chunks(arguments.arrays);
  options.array_chunk_words = arguments.arrays;
  check_array_codecs(arguments.array_codecs);
  options.array_codec_words = arguments.array_codecs;
  if (!arguments.shards.empty() && arguments.shards != "none")
    interpret("--shards", [&] { return parse_chunk_spec(arguments.shards); });
  options.shards = arguments.shards;
  if (!arguments.codec.empty())
    interpret("--codec", [&] { return parse_codec_specs(arguments.codec); });
  options.codec = arguments.codec;
  if (!arguments.zarr_format.empty())
    options.zarr_format =
        parse_number("--zarr-format", arguments.zarr_format, 2, 3);
  if (!arguments.nan_attributes.empty() && arguments.nan_attributes != "keep" &&
      arguments.nan_attributes != "text")
    throw UsageError(
        fmt::format("--nan-attributes: \"{}\" is neither keep nor "
                    "text",
                    arguments.nan_attributes));
  options.nan_attributes_as_text = arguments.nan_attributes == "text";
  if (arguments.consolidate && arguments.no_consolidate)
    throw UsageError(
        "--consolidate and --no-consolidate contradict each other");
  if (arguments.consolidate || arguments.no_consolidate)
    options.consolidate = arguments.consolidate;
  options.write_empty_chunks = arguments.write_empty_chunks;
  options.max_memory = parse_max_memory(arguments.max_memory);
  options.threads = parse_threads(arguments);
  options.temp = arguments.temp;
  if (!arguments.calibrate.empty() && arguments.calibrate != "auto" &&
      arguments.calibrate != "off")
    throw UsageError(fmt::format("--calibrate: \"{}\" is neither auto nor off",
                                 arguments.calibrate));
  options.calibrate = arguments.calibrate == "auto";
  options.overwrite = arguments.overwrite || arguments.overwrite_in_place;
  options.overwrite_in_place = arguments.overwrite_in_place;
  options.verify = arguments.verify;
  options.strict = arguments.strict;
  options.without_files = arguments.without_files;
  options.keep_temp = arguments.keep_temp;
  options.durable = arguments.durable;
  return options;
}

int parse_threads(const Arguments& arguments) {
  if (arguments.threads.empty()) return 0;
  return parse_number("--threads", arguments.threads, 1, 4096);
}

Sample make_sample(const Arguments& arguments) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  if (arguments.sample.empty()) {
    if (!arguments.seed.empty())
      throw UsageError("--seed: there is nothing to draw without --sample");
    return {};
  }
  Sample sample;
  sample.regions =
      parse_number<std::int64_t>("--sample", arguments.sample, 1, 1000000);
  sample.seed = arguments.seed.empty()
                    ? std::random_device()()
                    : static_cast<std::uint64_t>(parse_number<std::int64_t>(
                          "--seed", arguments.seed, 0, kMost));
  return sample;
}

PaperArray make_paper_array(const Arguments& arguments) {
  if (arguments.dtype.empty() || arguments.source_chunks.empty())
    throw UsageError(
        "planning on paper: --shape needs --dtype and "
        "--source-chunks",
        "for example --dtype f4 --source-chunks 31,721,1440");
  PaperArray array;
  array.shape = parse_shape(arguments.shape);
  array.dtype = arguments.dtype;
  array.source_chunks = parse_paper_chunks(
      "--source-chunks", arguments.source_chunks, array.shape);
  if (!arguments.source_shards.empty())
    array.source_shards = parse_paper_chunks(
        "--source-shards", arguments.source_shards, array.shape);
  return array;
}

TaskWords parse_tasks(const Arguments& arguments) {
  constexpr int kMost = std::numeric_limits<int>::max();
  TaskWords words;
  words.array = parse_number("ARRAY", arguments.array, 0, kMost);
  words.stage = parse_number("STAGE", arguments.stage, 0, kMost);
  const std::string_view range = arguments.tasks;
  words.all = range == "all";
  if (words.all) return words;
  const auto dots = range.find("..");
  if (dots == std::string_view::npos)
    throw UsageError(fmt::format("TASKS: \"{}\" is no range", range),
                     "write FIRST..STOP, without STOP itself: 0..8, or all");
  constexpr auto kMostTasks = std::numeric_limits<std::int64_t>::max();
  words.first =
      parse_number<std::int64_t>("TASKS", range.substr(0, dots), 0, kMostTasks);
  words.stop = parse_number<std::int64_t>("TASKS", range.substr(dots + 2),
                                          words.first, kMostTasks);
  return words;
}

int exit_code(const Error& error) {
  if (dynamic_cast<const UsageError*>(&error)) return 2;
  return error.kind() == ErrorKind::kCancelled ? 130 : 1;
}

}  // namespace rechunk::cli

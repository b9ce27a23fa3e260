#include "cli/flags.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>
#include <variant>

#include "base/byte_size.h"
#include "cli/array_words.h"
#include "cli/words.h"
#include "codec/codec_spec_text.h"
#include "plan/chunk_spec.h"

namespace rechunk::cli {
namespace {

constexpr unsigned kLayoutBits = kPlanBit | kRunBit;
constexpr unsigned kPlaceBits =
    kTaskBit | kCommitBit | kResumeBit | kDiscardBit;
constexpr unsigned kAllBits = ~0u;

void check_choice(const char* flag, const std::string& word, const char* one,
                  const char* other) {
  if (word != one && word != other)
    throw UsageError(
        fmt::format("{}: \"{}\" is neither {} nor {}", flag, word, one, other));
}

void read_chunks(const char* flag, const std::string& word, Options& options) {
  interpret(flag, [&] { return parse_chunk_spec(word); });
  options.chunks = word;
}

void read_shards(const char* flag, const std::string& word, Options& options) {
  if (word != "none") interpret(flag, [&] { return parse_chunk_spec(word); });
  options.shards = word;
}

void read_codec(const char* flag, const std::string& word, Options& options) {
  interpret(flag, [&] { return parse_codec_specs(word); });
  options.codec = word;
}

void read_zarr_format(const char* flag, const std::string& word,
                      Options& options) {
  options.zarr_format = parse_number(flag, word, 2, 3);
}

void read_nan_attributes(const char* flag, const std::string& word,
                         Options& options) {
  check_choice(flag, word, "keep", "text");
  options.nan_attributes_as_text = word == "text";
}

void read_max_memory(const char* flag, const std::string& word,
                     Options& options) {
  options.max_memory = interpret(flag, [&] { return parse_byte_size(word); });
  if (options.max_memory < 1)
    throw UsageError(fmt::format("{}: nothing can be done in 0 B", flag));
}

void read_threads(const char* flag, const std::string& word, Options& options) {
  options.threads = parse_number(flag, word, 1, 4096);
}

void read_calibrate(const char* flag, const std::string& word,
                    Options& options) {
  if (word == "auto") return;  // The default.
  if (word != "on" && word != "off")
    throw UsageError(
        fmt::format("{}: \"{}\" is none of auto, on and off", flag, word));
  options.calibrate = word == "on";
}

/// Puts what the word of a flag means into the options.
using ReadWord = void (*)(const char* flag, const std::string& word,
                          Options& options);

/// Where a flag's value goes; its type says what the flag takes.
using Field = std::variant<bool Options::*, std::string Options::*,
                           std::vector<std::string> Options::*, ReadWord,
                           bool Arguments::*, std::string Arguments::*,
                           std::vector<std::string> Arguments::*>;

struct Flag {
  const char* names;
  const char* value;  ///< Name of the value in the help; "" for switches.
  unsigned commands;
  Field field;
  const char* group;
  const char* help;

  /// "--chunks" of "-c,--chunks".
  const char* name() const { return std::strstr(names, "--"); }
};

constexpr const char* kTargetGroup = "Target";
constexpr const char* kResources = "Memory and time";
constexpr const char* kStorage = "Storage";
constexpr const char* kConduct = "Behaviour";
constexpr const char* kOutput = "Output";
constexpr const char* kPaper = "Without a source";

const Flag kFlags[] = {
    {"-c,--chunks", "CHUNKS", kLayoutBits, read_chunks, kTargetGroup,
     "Chunks of the target: 350640,10,10 or time=all,lat=10 or all or "
     "auto:100MB. A dimension that is not named keeps the source's chunks"},
    {"--array", "NAME:CHUNKS", kLayoutBits, &Options::array_chunk_words,
     kTargetGroup,
     "Chunks of one array of a group. May be given several times"},
    {"--shards", "CHUNKS", kLayoutBits, read_shards, kTargetGroup,
     "Shards of the target, written as chunks are; \"none\" writes no shards "
     "(default: as in the source)"},
    {"--codec", "CODEC", kLayoutBits, read_codec, kTargetGroup,
     "Codecs of the target: zstd:3, blosc:lz4:5, gzip:6 or none, several "
     "joined by +, or JSON (default: as in the source)"},
    {"--array-codec", "NAME:CODEC", kLayoutBits, &Options::array_codec_words,
     kTargetGroup, "Codec of one array of a group. May be given several times"},
    {"--zarr-format", "2|3", kLayoutBits, read_zarr_format, kTargetGroup,
     "Zarr format of the target (default: as the source)"},
    {"--nan-attributes", "keep|text", kLayoutBits, read_nan_attributes,
     kTargetGroup,
     "text: write NaN in attributes as a string, because NaN is not valid "
     "JSON; keep (default): copy it"},
    {"--consolidate", "", kLayoutBits, &Arguments::consolidate, kTargetGroup,
     "Write consolidated metadata (default: if the source has it)"},
    {"--no-consolidate", "", kLayoutBits, &Arguments::no_consolidate,
     kTargetGroup, "Do not write consolidated metadata"},
    {"--write-empty-chunks", "", kLayoutBits, &Options::write_empty_chunks,
     kTargetGroup, "Also write chunks that hold only the fill value"},

    {"--region", "RANGES", kLayoutBits, &Options::region, kTargetGroup,
     "Write into this part of a TARGET that exists, for example "
     "time=0:8760,lat=90:100, or all. The target keeps its layout"},
    {"--append", "DIM", kLayoutBits, &Options::append, kTargetGroup,
     "Write SOURCE after the end of a TARGET that exists, along this "
     "dimension"},

    {"-m,--max-memory", "SIZE", kLayoutBits | kVerifyBit, read_max_memory,
     kResources,
     "Memory for data: 2GiB, 500MB, ... (default: half of the memory of the "
     "machine or its cgroup)"},
    {"-j,--threads", "N", kLayoutBits | kVerifyBit | kResumeBit, read_threads,
     kResources, "Threads (default: one per core)"},
    {"--temp", "PLACE", kLayoutBits, &Options::temp, kResources,
     "Place for intermediates, a path or a URL (default: hidden, beside the "
     "target)"},
    {"--references-below", "PLACE", kLayoutBits | kVerifyBit | kInfoBit,
     &Options::references_below, kResources,
     "If SOURCE is a file of kerchunk's references: it may also name files "
     "below this place (default: only below its own folder). May be given "
     "several times"},

    {"--calibrate", "auto|on|off", kLayoutBits, read_calibrate, kResources,
     "on: measure a few of the source's chunks and the disk before planning; "
     "off: plan with estimates, so that the plan is the same every time; auto "
     "(default): on if the run should take longer than ten seconds, but off "
     "for plans that several processes run"},

    {"--storage", "KEY=VALUE", kAllBits, &Arguments::storage, kStorage,
     "How to reach places that are no paths: region, endpoint_url, profile, "
     "anon, ... May be given several times. The environment counts, too "
     "(AWS_REGION, ...)"},
    {"--source-storage", "KEY=VALUE", kLayoutBits | kVerifyBit | kPlaceBits,
     &Arguments::source_storage, kStorage, "The same for SOURCE alone"},
    {"--target-storage", "KEY=VALUE", kLayoutBits | kVerifyBit | kPlaceBits,
     &Arguments::target_storage, kStorage, "The same for TARGET alone"},
    {"--temp-storage", "KEY=VALUE", kLayoutBits | kPlaceBits,
     &Arguments::temp_storage, kStorage,
     "The same for the place of intermediates alone"},

    {"--overwrite", "", kLayoutBits, &Options::overwrite, kConduct,
     "Replace a target that exists. The old one stays until the new one is "
     "complete"},
    {"--overwrite-in-place", "", kLayoutBits, &Options::overwrite_in_place,
     kConduct, "Erase a target that exists, then write the new one"},
    {"--verify", "", kLayoutBits, &Options::verify, kConduct,
     "Read the finished target and compare it with the data that came from "
     "the source"},
    {"--strict", "", kLayoutBits, &Options::strict, kConduct,
     "Fail if an array would keep its chunks, or if a reader could see "
     "other values afterwards"},
    {"--without-files", "", kLayoutBits, &Options::without_files, kConduct,
     "Do not copy files of SOURCE that are not Zarr (default: copy them)"},
    {"--keep-temp", "", kLayoutBits, &Options::keep_temp, kConduct,
     "Do not delete the intermediates"},
    {"--durable", "", kLayoutBits, &Options::durable, kConduct,
     "Sync the disk before a task counts as done, so that finished tasks "
     "survive a power failure"},
    {"--check", "", kResumeBit, &Arguments::check, kConduct,
     "Re-read finished objects and compare them with the journal. What "
     "differs is written again"},
    {"--executor", "NAME", kRunBit | kResumeBit, &Arguments::executor, kConduct,
     "What runs the plan: threads (default), serial, or mpi under mpirun"},

    {"--sample", "N", kVerifyBit, &Arguments::sample, kConduct,
     "Compare only N random regions of each array: faster than comparing "
     "everything"},
    {"--seed", "N", kVerifyBit, &Arguments::seed, kConduct,
     "For --sample: the same seed draws the same regions"},

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

/// A target that exists keeps its layout, and everything else in it.
void check_existing(const Options& options) {
  if (options.region.empty() && options.append.empty()) return;
  const char* flag = options.region.empty() ? "--append" : "--region";
  const std::pair<const char*, bool> others[] = {
      {"--append", !options.region.empty() && !options.append.empty()},
      {"--chunks", !options.chunks.empty()},
      {"--array", !options.array_chunk_words.empty()},
      {"--shards", !options.shards.empty()},
      {"--codec", !options.codec.empty()},
      {"--array-codec", !options.array_codec_words.empty()},
      {"--zarr-format", options.zarr_format != 0},
      {"--consolidate", options.consolidate == true},
      {"--no-consolidate", options.consolidate == false},
      {"--overwrite", options.overwrite},
      {"--overwrite-in-place", options.overwrite_in_place}};
  for (const auto& [other, given] : others)
    if (given)
      throw UsageError(fmt::format("{} and {} exclude each other", flag, other),
                       "a target that exists keeps its layout, and everything "
                       "that is not written");
}

/// Adds flags to a command, by where their values go.
class FlagAdder {
 public:
  FlagAdder(CLI::App& command, Arguments& arguments)
      : command_(command), arguments_(arguments) {}

  void add(const Flag& flag) {
    CLI::Option* option =
        std::visit([&](auto field) { return add(flag, place_of(flag, field)); },
                   flag.field);
    option->group(flag.group);
    if (*flag.value) option->type_name(flag.value)->option_text(flag.value);
  }

 private:
  template <class Value>
  Value& place_of(const Flag&, Value Options::*field) {
    return arguments_.options.*field;
  }
  template <class Value>
  Value& place_of(const Flag&, Value Arguments::*field) {
    return arguments_.*field;
  }
  std::string& place_of(const Flag& flag, ReadWord) {
    return arguments_.words[flag.name()];
  }

  CLI::Option* add(const Flag& flag, std::string& word) {
    return command_.add_option(flag.names, word, wrap(flag.help));
  }
  CLI::Option* add(const Flag& flag, std::vector<std::string>& words) {
    // Else the parser would take operands behind the value as more values.
    return command_.add_option(flag.names, words, wrap(flag.help))
        ->allow_extra_args(false);
  }
  CLI::Option* add(const Flag& flag, bool& on) {
    return command_.add_flag(flag.names, on, wrap(flag.help));
  }

  CLI::App& command_;
  Arguments& arguments_;
};

}  // namespace

void add_flags(CLI::App& command, CommandBit bit, Arguments& arguments) {
  for (const Flag& flag : kFlags)
    if (flag.commands & bit) FlagAdder(command, arguments).add(flag);
}

Options make_options(const Arguments& arguments) {
  Options options = arguments.options;
  for (const Flag& flag : kFlags) {
    const auto* read = std::get_if<ReadWord>(&flag.field);
    const auto word = arguments.words.find(flag.name());
    if (read && word != arguments.words.end() && !word->second.empty())
      (*read)(flag.name(), word->second, options);
  }
  check_array_chunks(options.array_chunk_words);
  check_array_codecs(options.array_codec_words);
  if (arguments.consolidate && arguments.no_consolidate)
    throw UsageError(
        "--consolidate and --no-consolidate contradict each other");
  if (arguments.consolidate || arguments.no_consolidate)
    options.consolidate = arguments.consolidate;
  check_existing(options);
  return options;
}

int exit_code(const Error& error) {
  if (dynamic_cast<const UsageError*>(&error)) return 2;
  return error.kind() == ErrorKind::kCancelled ? 130 : 1;
}

}  // namespace rechunk::cli

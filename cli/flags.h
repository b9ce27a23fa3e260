// The flags of all subcommands: one table (flags.cc) makes the help, the parser
// and the suggestions for misspelt flags. And the meaning of their values.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "rechunk/rechunk.h"

namespace rechunk::cli {

/// A command line.
struct Arguments {
  std::string source, target;
  /// Set as far as flags are switches or texts; `make_options` adds what
  /// `words` mean.
  Options options;
  std::map<std::string, std::string> words;  ///< By flag; not yet read.
  bool consolidate = false, no_consolidate = false;
  bool check = false;
  bool json = false, explain = false;
  std::string shape, dtype, source_chunks, source_shards;
  std::string executor;
  std::string plan_file;  ///< To read, or to write (--save).
  std::string array, stage, tasks;
  std::string sample, seed;
  Texts storage, source_storage, target_storage, temp_storage;  ///< KEY=VALUE.
};

/// A wrong command line, found before anything was done: exit code 2.
class UsageError : public Error {
 public:
  explicit UsageError(const Error& error) : Error(error) {}
  explicit UsageError(const std::string& message, std::string hint = {})
      : Error(ErrorKind::kInvalidArgument, message, std::move(hint)) {}
};

/// 2 wrong usage, 130 interrupted, 1 any other failure.
int exit_code(const Error& error);

/// Subcommands, as bits of a set.
enum CommandBit : unsigned {
  kPlanBit = 1,
  kRunBit = 2,
  kVerifyBit = 4,
  kInfoBit = 8,
  kTaskBit = 16,
  kCommitBit = 32,
  kResumeBit = 64,
  kStatusBit = 128,
  kDiscardBit = 256,
};

/// Adds the flags of one subcommand, which fill `arguments`.
void add_flags(CLI::App& command, CommandBit bit, Arguments& arguments);

/// The library's options; every word is checked here, before the library is
/// called. Throws: UsageError.
Options make_options(const Arguments& arguments);

/// A hint for words that the parser did not expect: "did you mean --chunks?",
/// or "" if no known word is similar.
std::string suggest(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace rechunk::cli

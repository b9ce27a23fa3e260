// What the words of a command line mean that are no options of the library:
// samples, arrays on paper, tasks; and numbers in any of them.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "cli/flags.h"
#include "rechunk/plan.h"

namespace rechunk::cli {

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

/// Of --sample and --seed; without --seed, a random seed.
/// Throws: UsageError.
Sample make_sample(const Arguments& arguments);

/// Of --shape, --dtype, --source-chunks, --source-shards. Throws: UsageError.
PaperArray make_paper_array(const Arguments& arguments);

/// Tasks as `rechunk task` names them, by 0-based indices.
struct TaskWords {
  TaskRange tasks;
  bool all = false;  ///< Of the stage: then `tasks` has no range.
};
/// Throws: UsageError.
TaskWords parse_tasks(const Arguments& arguments);

}  // namespace rechunk::cli

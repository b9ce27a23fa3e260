// What was meant by words that the parser did not expect.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/flags.h"

namespace rechunk::cli {
namespace {

/// A word of other tools, and what rechunk has for it.
struct Foreign {
  std::string_view word;
  std::string_view here;  ///< A flag; else a sentence.
};

constexpr std::string_view kTargetIsAnOperand =
    "the target is the second operand: rechunk run SOURCE TARGET";
constexpr std::string_view kSourceIsAnOperand =
    "the source is the first operand: rechunk run SOURCE TARGET";
constexpr std::string_view kQuiet =
    "the progress bar is only shown on terminals; 2>/dev/null hides the rest";

constexpr Foreign kForeign[] = {
    {"--force", "--overwrite"},
    {"-f", "--overwrite"},
    {"--replace", "--overwrite"},
    {"--clobber", "--overwrite"},
    {"--compressor", "--codec"},
    {"--compressors", "--codec"},
    {"--compression", "--codec"},
    {"--workers", "--threads"},
    {"--num-workers", "--threads"},
    {"--nthreads", "--threads"},
    {"--jobs", "--threads"},
    {"--cpus", "--threads"},
    {"--ram", "--max-memory"},
    {"--tmp", "--temp"},
    {"--tmpdir", "--temp"},
    {"--scratch", "--temp"},
    {"--variable", "--array"},
    {"--var", "--array"},
    {"--format", "--zarr-format"},
    {"--zarr-version", "--zarr-format"},
    {"--scheduler", "--executor"},
    {"--engine", "--executor"},
    {"--verbose", "--explain"},
    {"--dry-run", "rechunk plan shows what a run would do"},
    {"-n", "rechunk plan shows what a run would do"},
    {"--resume", "rechunk resume TARGET continues a run"},
    {"--continue", "rechunk resume TARGET continues a run"},
    {"--quiet", kQuiet},
    {"-q", kQuiet},
    {"--silent", kQuiet},
    {"--no-progress", kQuiet},
    {"--output", kTargetIsAnOperand},
    {"--out", kTargetIsAnOperand},
    {"-o", kTargetIsAnOperand},
    {"--target", kTargetIsAnOperand},
    {"--input", kSourceIsAnOperand},
    {"-i", kSourceIsAnOperand},
    {"--source", kSourceIsAnOperand},
};

/// How many letters must change, be inserted or be removed to make `a` of `b`
/// (Levenshtein).
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

/// Edits that make `known` of `word`. A part of a long name ("--mem") counts as
/// one edit.
std::size_t distance_from(const std::string& known, const std::string& word) {
  const auto part =
      word.substr(std::min(word.size(), word.find_first_not_of('-')));
  if (part.size() >= 3 && known.find(part) != std::string::npos) return 1;
  return edit_distance(word, known);
}

/// The words that could take the place of `word`.
std::vector<std::string> known_words(const CLI::App& app,
                                     const std::string& word) {
  std::vector<std::string> known;
  if (word.starts_with("-")) {
    for (const CLI::Option* option : app.get_options({}))
      for (const std::string& name : option->get_lnames())
        known.push_back("--" + name);
  } else {
    for (const CLI::App* command : app.get_subcommands({}))
      known.push_back(command->get_name());
  }
  return known;
}

bool has_flag(const CLI::App& app, std::string_view flag) {
  const auto known = known_words(app, "--");
  return std::find(known.begin(), known.end(), flag) != known.end();
}

/// The first of the other commands that has the flag; "" if none has.
std::string command_with(const CLI::App& app, const std::string& flag) {
  if (!app.get_parent()) return {};
  for (const CLI::App* other : app.get_parent()->get_subcommands({}))
    if (other != &app && has_flag(*other, flag)) return other->get_name();
  return {};
}

/// A hint for a word that other tools or other commands have; "" for other
/// words.
std::string hint_from_elsewhere(const CLI::App& app, const std::string& word) {
  const auto found = std::find_if(
      std::begin(kForeign), std::end(kForeign),
      [&](const Foreign& foreign) { return foreign.word == word; });
  if (found != std::end(kForeign) && !found->here.starts_with("-"))
    return std::string(found->here);
  if (found != std::end(kForeign) && has_flag(app, found->here))
    return fmt::format("did you mean {}?", found->here);
  const std::string flag(found == std::end(kForeign) ? word : found->here);
  const std::string command = command_with(app, flag);
  if (command.empty()) return {};
  return fmt::format("{} belongs to rechunk {}", flag, command);
}

}  // namespace

std::string suggest(const CLI::App& app,
                    const std::vector<std::string>& words) {
  for (const std::string& argument : words) {
    const std::string word = argument.substr(0, argument.find('='));
    if (auto hint = hint_from_elsewhere(app, word); !hint.empty()) return hint;
    std::string nearest;
    // If more letters differ, another word was meant.
    std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string& known : known_words(app, word)) {
      const std::size_t distance = distance_from(known, word);
      if (distance >= least) continue;
      least = distance;
      nearest = known;
    }
    if (!nearest.empty()) return fmt::format("did you mean {}?", nearest);
  }
  return {};
}

}  // namespace rechunk::cli

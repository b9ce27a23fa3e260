// What was meant by words that the parser did not expect.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/flags.h"

namespace rechunk::cli {
namespace {

/// Letters to change, insert or remove to make `a` of `b` (Levenshtein).
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

/// How little `known` looks like what was meant by `word`: edits, but a part of
/// a long name ("--mem") counts as one.
std::size_t distance_from(const std::string& known, const std::string& word) {
  const auto part =
      word.substr(std::min(word.size(), word.find_first_not_of('-')));
  if (part.size() >= 3 && known.find(part) != std::string::npos) return 1;
  return edit_distance(word, known);
}

/// What may be written where `word` was.
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

}  // namespace

std::string suggest(const CLI::App& app,
                    const std::vector<std::string>& words) {
  for (const std::string& argument : words) {
    const std::string word = argument.substr(0, argument.find('='));
    std::string nearest;
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

#include "rechunk/notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace rechunk {
namespace {

// A line that people read has room for so many names.
constexpr std::size_t kMaxNames = 8;

std::string join_names(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMaxNames); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMaxNames)
    text += fmt::format(" and {} more", names.size() - kMaxNames);
  return text;
}

}  // namespace

void Notes::add(std::string_view kind, const std::string& array,
                std::string_view text) {
  auto note = std::find_if(notes.begin(), notes.end(), [&](const Note& other) {
    return other.kind == kind && other.text == text;
  });
  if (note == notes.end())
    note =
        notes.insert(notes.end(), {std::string(kind), {}, std::string(text)});
  auto& arrays = note->arrays;
  if (!array.empty() &&
      std::find(arrays.begin(), arrays.end(), array) == arrays.end())
    arrays.push_back(array);
}

void Notes::add(const Notes& others) {
  not_rechunked.insert(not_rechunked.end(), others.not_rechunked.begin(),
                       others.not_rechunked.end());
  for (const Note& note : others.notes) {
    if (note.arrays.empty()) add(note.kind, "", note.text);
    for (const std::string& array : note.arrays)
      add(note.kind, array, note.text);
  }
}

std::vector<std::string> to_lines(const Notes& notes) {
  std::vector<std::string> lines;
  std::map<std::string, std::vector<std::string>> by_cause;
  for (const NotRechunked& array : notes.not_rechunked)
    by_cause[array.cause].push_back(array.name.empty() ? "the array"
                                                       : array.name);
  for (const auto& [cause, names] : by_cause)
    lines.push_back(
        fmt::format("not rechunked: {} ({})", join_names(names), cause));
  for (const Note& note : notes.notes) {
    lines.push_back("note: " + note.text);
    if (!note.arrays.empty()) lines.back() += ": " + join_names(note.arrays);
  }
  return lines;
}

}  // namespace rechunk

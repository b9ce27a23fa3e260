#include "rechunk/wording.h"

#include <optional>

namespace rechunk {
namespace {

// Characters that no text for people holds: "start of text", "unit separator"
// and "end of text". A mention is START, a letter for its kind, the name,
// SEPARATOR, the value, END.
constexpr char kStart = '\x02', kSeparator = '\x1f', kEnd = '\x03';

struct KindLetter {
  Mention::Kind kind;
  char letter;
};
constexpr KindLetter kLetters[] = {{Mention::Kind::kOption, 'o'},
                                   {Mention::Kind::kAction, 'a'},
                                   {Mention::Kind::kForms, 'f'}};

std::string marked(Mention::Kind kind, std::string_view name,
                   std::string_view value) {
  std::string text(1, kStart);
  for (const KindLetter& row : kLetters)
    if (row.kind == kind) text += row.letter;
  text.append(name);
  text += kSeparator;
  // Values come from users, too.
  for (const char character : value)
    text += character == kStart || character == kEnd ? '?' : character;
  return text + kEnd;
}

// What stands between START and END; nothing if that is no mention.
std::optional<Mention> parse_mention(std::string_view inner) {
  const auto separator = inner.find(kSeparator);
  if (separator == std::string_view::npos) return std::nullopt;
  for (const KindLetter& row : kLetters)
    if (inner.front() == row.letter)
      return Mention{row.kind, std::string(inner.substr(1, separator - 1)),
                     std::string(inner.substr(separator + 1))};
  return std::nullopt;
}

std::string in_plain_words(const Mention& mention) {
  const bool has_value = !mention.value.empty() && mention.value != "true";
  const std::string words =
      mention.name + (has_value ? " " + mention.value : "");
  switch (mention.kind) {
    case Mention::Kind::kOption:
      return words;
    case Mention::Kind::kAction:
      return "`" + words + "`";
    case Mention::Kind::kForms:
      return mention.value;
  }
  return words;
}

}  // namespace

std::string option(std::string_view name, std::string_view value) {
  return marked(Mention::Kind::kOption, name, value);
}

std::string option_on(std::string_view name) { return option(name, "true"); }

std::string action(std::string_view name, std::string_view place) {
  return marked(Mention::Kind::kAction, name, place);
}

std::string forms(std::string_view name, std::string_view text) {
  return marked(Mention::Kind::kForms, name, text);
}

std::string with_marks(const Mention& mention) {
  return marked(mention.kind, mention.name, mention.value);
}

std::string spelled(std::string_view text, const Speller& speller) {
  std::string result;
  while (!text.empty()) {
    const auto start = text.find(kStart);
    result += text.substr(0, start);
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const auto end = text.find_first_of({"\x02\x03", 2}, 1);
    // A second start before an end: then the first one begins no mention.
    const auto mention = end == std::string_view::npos || text[end] == kStart
                             ? std::nullopt
                             : parse_mention(text.substr(1, end - 1));
    if (mention)
      result += speller ? speller(*mention) : in_plain_words(*mention);
    else
      result += kStart;  // Somebody's file has a strange name.
    text.remove_prefix(mention ? end + 1 : 1);
  }
  return result;
}

std::string first_option(std::string_view text) {
  std::string first;
  spelled(text, [&](const Mention& mention) {
    if (first.empty() && mention.kind == Mention::Kind::kOption)
      first = mention.name;
    return std::string();
  });
  return first;
}

}  // namespace rechunk

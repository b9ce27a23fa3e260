#include <fmt/format.h>

#include <algorithm>

#include "json/raw_json.h"

namespace rechunk::raw_json {
namespace {

bool is_flat(std::string_view list) {
  return std::all_of(list.begin() + 1, list.end(),
                     [](char c) { return c != '[' && c != '{'; });
}

/// A lone surrogate as `as_string` gives it, which UTF-8 cannot have.
bool is_surrogate(std::string_view text) {
  return text.size() == 3 && text[0] == '\xed' && (text[1] & 0xe0) == 0xa0 &&
         (text[2] & 0xc0) == 0x80;
}

/// The key as it stands, quotes included.
std::string_view key_token(const Member& member) {
  const std::string_view head =
      member.whole.substr(0, member.text.data() - member.whole.data());
  return head.substr(0, head.rfind('"') + 1);
}

}  // namespace

std::string quote(std::string_view text) {
  std::string token = "\"";
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"' || c == '\\') {
      token += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      token += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else if (is_surrogate(text.substr(at, 3))) {
      token += fmt::format("\\ud{:x}{:02x}", text[at + 1] >> 2 & 0xf,
                           (text[at + 1] & 3) << 6 | (text[at + 2] & 0x3f));
      at += 2;
    } else {
      token += c;
    }
  }
  token += '"';
  return token;
}

std::string canonical(std::string_view value) {
  if (is_string(value)) return quote(*as_string(value));
  std::string text;
  if (is_list(value)) {
    for (std::string_view element : elements(value))
      text += fmt::format("{}{}", text.empty() ? "" : ",", canonical(element));
    return fmt::format("[{}]", text);
  }
  if (!is_object(value)) return std::string(value);
  auto sorted = members(value, Duplicates::kAllow);
  // Stable, because a name may come twice.
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](auto& a, auto& b) { return a.key < b.key; });
  for (const Member& member : sorted)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", quote(member.key),
                        canonical(member.text));
  return fmt::format("{{{}}}", text);
}

std::string indented(std::string_view value, int depth) {
  const bool list = is_list(value);
  if (!list && !is_object(value)) return std::string(value);
  const bool one_line = list && is_flat(value);
  const std::string line_break =
      one_line ? "" : fmt::format("\n{:{}}", "", 2 * (depth + 1));
  std::string text;
  const auto add = [&](const std::string& item) {
    text += fmt::format("{}{}{}",
                        text.empty() ? ""
                        : one_line   ? ", "
                                     : ",",
                        line_break, item);
  };
  if (list)
    for (std::string_view element : elements(value))
      add(indented(element, depth + 1));
  else
    for (const Member& member : members(value, Duplicates::kAllow))
      add(fmt::format("{}: {}", key_token(member),
                      indented(member.text, depth + 1)));
  if (!text.empty() && !one_line) text += fmt::format("\n{:{}}", "", 2 * depth);
  return list ? fmt::format("[{}]", text) : fmt::format("{{{}}}", text);
}

std::string without_member(std::string_view object, std::string_view key) {
  std::string text(object);
  for (;;) {
    // From the start again, because a name may come twice.
    const auto all = members(text, Duplicates::kAllow);
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](auto& m) { return m.key == key; });
    if (found == all.end()) return text;
    const char* start = found->whole.data();
    const char* stop = start + found->whole.size();
    // Removes the comma behind the member. The last member has one before it.
    if (found + 1 != all.end())
      stop = (found + 1)->whole.data();
    else if (found != all.begin())
      start = (found - 1)->whole.data() + (found - 1)->whole.size();
    text.erase(start - text.data(), stop - start);
  }
}

std::string with_member(std::string_view object, std::string_view key,
                        std::string_view value) {
  std::string text = without_member(object, key);
  const auto all = members(text, Duplicates::kAllow);
  const std::string member = fmt::format("{}: {}", quote(key), value);
  if (all.empty())
    text.insert(text.find('{') + 1, member);
  else
    text.insert(all.back().whole.data() + all.back().whole.size() - text.data(),
                fmt::format(", {}", member));
  return text;
}

std::string with_names_as_text(std::string_view value) {
  constexpr std::string_view kNames[] = {"NaN", "Infinity", "-Infinity"};
  std::string text;
  bool in_string = false;
  for (std::size_t at = 0; at < value.size(); ++at) {
    const char c = value[at];
    if (in_string && c == '\\') {
      // An escaped quote does not end the string.
      text += value.substr(at++, 2);
      continue;
    }
    if (c == '"') in_string = !in_string;
    const auto name =
        std::find_if(std::begin(kNames), std::end(kNames), [&](auto other) {
          return !in_string && value.substr(at).starts_with(other);
        });
    if (name == std::end(kNames)) {
      text += c;
      continue;
    }
    text += fmt::format("\"{}\"", *name);
    at += name->size() - 1;
  }
  return text;
}

bool has_bare_names(std::string_view value) {
  return with_names_as_text(value).size() != value.size();
}

std::string excerpt(std::string_view value) {
  constexpr std::size_t kMaxBytes = 60;
  std::string text;  // On one line.
  // Some more than is shown, because white space is left out.
  for (const char c : value.substr(0, 8 * kMaxBytes)) {
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!space)
      text += c;
    else if (!text.empty() && text.back() != ' ')
      text += ' ';
  }
  if (text.size() <= kMaxBytes && value.size() <= 8 * kMaxBytes) return text;
  std::size_t end = std::min(kMaxBytes, text.size());
  while (end > 0 && end < text.size() && (text[end] & 0xc0) == 0x80)
    --end;  // Whole characters.
  return text.substr(0, end) + "...";
}

}  // namespace rechunk::raw_json

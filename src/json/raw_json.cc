#include "json/raw_json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_set>
#include <utility>

#include "rechunk/error.h"

namespace rechunk::raw_json {
namespace {

// Each level is a call, and the stack has an end.
constexpr int kMaxDepth = 512;
// What takes an object or a list apart needs some hundred bytes for each item.
constexpr std::size_t kMaxItems = 1 << 20;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Walks over JSON text and hands out slices.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool at_end() const { return at_ == text_.size(); }
  std::size_t position() const { return at_; }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void check_count(std::size_t items) const {
    if (items >= kMaxItems) fail("more than a million items");
  }
  void expect(char c) {
    if (!take(c)) fail(fmt::format("expected '{}'", c));
  }
  [[noreturn]] void fail(const std::string& cause) const {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("not JSON at byte {}: {}", at_, cause));
  }

  std::string_view value(int depth = 0);
  std::string_view string();

  /// Calls `visit` at the start of each item between the brackets.
  template <class Visit>
  void items(char open, char close, Visit&& visit) {
    expect(open);
    skip_space();
    if (take(close)) return;
    do {
      skip_space();
      visit();
      skip_space();
    } while (take(','));
    expect(close);
  }

 private:
  void escape();
  void number();
  void digits();
  bool word(std::string_view token);

  std::string_view text_;
  std::size_t at_ = 0;
};

void Scanner::escape() {
  if (at_end()) fail("the text ends inside a string");
  const char c = text_[at_++];
  if (std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos) return;
  if (c != 'u') fail("an unknown escape");
  for (int i = 0; i < 4; ++i, ++at_)
    if (at_end() || !is_hex_digit(text_[at_])) fail("a bad \\u escape");
}

std::string_view Scanner::string() {
  const std::size_t start = at_;
  expect('"');
  while (!take('"')) {
    if (at_end()) fail("the text ends inside a string");
    const char c = text_[at_++];
    if (static_cast<unsigned char>(c) < 0x20) fail("a control character");
    if (c == '\\') escape();
  }
  return text_.substr(start, at_ - start);
}

void Scanner::digits() {
  if (at_end() || !is_digit(text_[at_])) fail("expected a digit");
  while (!at_end() && is_digit(text_[at_])) ++at_;
}

bool Scanner::word(std::string_view token) {
  if (text_.substr(at_, token.size()) != token) return false;
  at_ += token.size();
  return true;
}

void Scanner::number() {
  // Python also writes NaN and Infinity, which JSON does not have.
  if (word("-Infinity")) return;
  take('-');
  if (!take('0')) digits();
  if (take('.')) digits();
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    digits();
  }
}

std::string_view Scanner::value(int depth) {
  if (depth > kMaxDepth) fail("nested too deeply");
  if (at_end()) fail("the text ends where a value is expected");
  const std::size_t start = at_;
  const char c = text_[at_];
  if (c == '"') {
    string();
  } else if (c == '{') {
    items('{', '}', [&] {
      string();
      skip_space();
      expect(':');
      skip_space();
      value(depth + 1);
    });
  } else if (c == '[') {
    items('[', ']', [&] { value(depth + 1); });
  } else if (c == '-' || is_digit(c)) {
    number();
  } else if (!word("true") && !word("false") && !word("null") && !word("NaN") &&
             !word("Infinity")) {
    fail("expected a value");
  }
  return text_.substr(start, at_ - start);
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto push = [&](std::uint32_t byte) {
    text.push_back(static_cast<char>(byte));
  };
  if (code < 0x80) return push(code);
  if (code < 0x800) {
    push(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      push(0xe0 | code >> 12);
    } else {
      push(0xf0 | code >> 18);
      push(0x80 | (code >> 12 & 0x3f));
    }
    push(0x80 | (code >> 6 & 0x3f));
  }
  push(0x80 | (code & 0x3f));
}

/// The unit that `\uXXXX` at `at` stands for, or nothing.
std::optional<std::uint32_t> unicode_escape(std::string_view text,
                                            std::size_t at) {
  if (text.substr(at, 2) != "\\u" || at + 6 > text.size()) return {};
  std::uint32_t unit = 0;
  std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
  return unit;
}

/// Appends the character of the escape at `at`; returns the position after it.
std::size_t unescape(std::string_view text, std::size_t at,
                     std::string& result) {
  constexpr std::string_view kNames = "bfnrt", kMeanings = "\b\f\n\r\t";
  auto unit = unicode_escape(text, at);
  if (!unit) {
    const std::size_t name = kNames.find(text[at + 1]);
    result += name == std::string_view::npos ? text[at + 1] : kMeanings[name];
    return at + 2;
  }
  at += 6;
  const auto low = unicode_escape(text, at);
  // A character beyond 16 bits takes two escapes.
  if (*unit >> 10 == 0xd800 >> 10 && low && *low >> 10 == 0xdc00 >> 10) {
    unit = 0x10000 + ((*unit & 0x3ff) << 10 | (*low & 0x3ff));
    at += 6;
  }
  append_utf8(result, *unit);
  return at;
}

std::string unescaped(std::string_view token) {
  const std::string_view text = token.substr(1, token.size() - 2);
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\\')
      at = unescape(text, at, result);
    else
      result += text[at++];
  }
  return result;
}

template <class Integer>
std::optional<Integer> to_integer(std::string_view value) {
  if (!is_number(value)) return {};
  Integer number{};
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error == std::errc() && stop == end) return number;
  if (value.find_first_of(".eE") == std::string_view::npos) return {};
  const double real = as_number(value).value();
  // Beyond 2^53 a written fraction or exponent no longer names one integer.
  if (real != std::floor(real) || std::fabs(real) > 9007199254740992.0)
    return {};
  if (real < 0 && !std::numeric_limits<Integer>::is_signed) return {};
  return static_cast<Integer>(real);
}

}  // namespace

std::string_view parse(std::string_view document) {
  Scanner scanner(document);
  if (!is_utf8(document)) scanner.fail("the text is not UTF-8");
  scanner.skip_space();
  const std::string_view value = scanner.value();
  scanner.skip_space();
  if (!scanner.at_end()) scanner.fail("more text after the value");
  return value;
}

std::vector<Member> members(std::string_view object, Duplicates duplicates) {
  std::vector<Member> result;
  std::unordered_set<std::string> seen;
  Scanner scanner(object);
  scanner.skip_space();
  scanner.items('{', '}', [&] {
    scanner.check_count(result.size());
    Member member;
    const std::size_t start = scanner.position();
    member.key = unescaped(scanner.string());
    if (duplicates == Duplicates::kRefuse && !seen.insert(member.key).second)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("member \"{}\" stands twice", member.key));
    scanner.skip_space();
    scanner.expect(':');
    scanner.skip_space();
    member.text = scanner.value();
    member.whole = object.substr(start, scanner.position() - start);
    result.push_back(std::move(member));
  });
  return result;
}

std::vector<std::string_view> elements(std::string_view list) {
  std::vector<std::string_view> result;
  Scanner scanner(list);
  scanner.skip_space();
  scanner.items('[', ']', [&] {
    scanner.check_count(result.size());
    result.push_back(scanner.value());
  });
  return result;
}

bool is_object(std::string_view value) { return value.starts_with('{'); }
bool is_list(std::string_view value) { return value.starts_with('['); }
bool is_string(std::string_view value) { return value.starts_with('"'); }
bool is_number(std::string_view value) {
  if (value.starts_with('-')) value.remove_prefix(1);
  return !value.empty() && is_digit(value.front());
}

std::optional<std::string> as_string(std::string_view value) {
  if (!is_string(value)) return {};
  return unescaped(value);
}

std::optional<std::int64_t> as_integer(std::string_view value) {
  return to_integer<std::int64_t>(value);
}

std::optional<std::uint64_t> as_unsigned(std::string_view value) {
  return to_integer<std::uint64_t>(value);
}

std::optional<double> as_number(std::string_view value) {
  if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  const double sign = value.starts_with('-') ? -1.0 : 1.0;
  if (value == "Infinity" || value == "-Infinity")
    return sign * std::numeric_limits<double>::infinity();
  if (!is_number(value)) return {};
  double number = 0;
  const auto [stop, error] =
      std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc::result_out_of_range) return number;
  const std::size_t exponent = value.find_first_of("eE");
  // `from_chars` does not say whether the number is too small or too large.
  const bool tiny = exponent != std::string_view::npos
                        ? value[exponent + 1] == '-'
                        : value.starts_with("0.") || value.starts_with("-0.");
  return sign * (tiny ? 0.0 : std::numeric_limits<double>::infinity());
}

std::optional<std::string_view> find(std::string_view object,
                                     std::string_view key) {
  std::optional<std::string_view> found;
  Scanner scanner(object);
  scanner.skip_space();
  scanner.items('{', '}', [&] {
    const std::string_view name = scanner.string();
    scanner.skip_space();
    scanner.expect(':');
    scanner.skip_space();
    const std::string_view text = scanner.value();
    if (!found && unescaped(name) == key) found = text;
  });
  return found;
}

std::string value_or(std::string_view object, std::string_view key,
                     std::string_view fallback) {
  const auto value = find(object, key);
  return std::string(value && *value != "null" ? *value : fallback);
}

bool is_utf8(std::string_view text) {
  // UTF-8 has no longer forms of smaller codes, and no surrogates.
  constexpr std::uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at++]);
    if (lead < 0x80) continue;
    const int more = lead >> 5 == 0x6    ? 1
                     : lead >> 4 == 0xe  ? 2
                     : lead >> 3 == 0x1e ? 3
                                         : 0;
    std::uint32_t code = lead & (0x3f >> more);
    for (int i = 0; i < more; ++i, ++at) {
      if (at == text.size() || (text[at] & 0xc0) != 0x80) return false;
      code = code << 6 | (text[at] & 0x3f);
    }
    if (more == 0 || code < kSmallest[more] || code > 0x10ffff ||
        code >> 11 == 0xd800 >> 11)
      return false;
  }
  return true;
}

}  // namespace rechunk::raw_json

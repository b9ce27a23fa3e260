// Texts in files of references: templates and base64.
#include <algorithm>
#include <array>

#include "rechunk/error.h"
#include "store/reference_table.h"

namespace rechunk {
namespace {

using Templates = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMaxUrlBytes = 64 << 10;

[[noreturn]] void refuse_template(std::string_view text) {
  throw Error(ErrorKind::kUnsupported,
              "the template {{" + std::string(text.substr(0, 200)) +
                  "}} is more than a name with texts in brackets",
              "expand the templates first: fsspec's ReferenceFileSystem can");
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
  });
}

const std::string* find_template(const Templates& templates,
                                 std::string_view name) {
  const auto found =
      std::find_if(templates.begin(), templates.end(),
                   [&](const auto& row) { return row.first == name; });
  return found == templates.end() ? nullptr : &found->second;
}

// "c='x', d=\"y\"", where texts hold no quotation marks of their own.
Templates arguments_of(std::string_view whole, std::string_view text) {
  Templates arguments;
  while (!(text = trimmed(text)).empty()) {
    const auto equals = std::min(text.find('='), text.size());
    const std::string_view name = trimmed(text.substr(0, equals));
    text = trimmed(text.substr(std::min(equals + 1, text.size())));
    const char quote = text.empty() ? ' ' : text[0];
    const auto end = text.find(quote, 1);
    if (!is_name(name) || (quote != '\'' && quote != '"') ||
        end == std::string_view::npos)
      refuse_template(whole);
    arguments.emplace_back(name, text.substr(1, end - 1));
    text = trimmed(text.substr(end + 1));
    if (text.empty()) break;
    if (text[0] != ',') refuse_template(whole);
    text.remove_prefix(1);
  }
  return arguments;
}

/// Calls `value(expression)` for each "{{expression}}".
template <class Value>
std::string replace_braces(std::string_view text, Value&& value) {
  std::string filled;
  for (;;) {
    const auto begin = text.find("{{");
    filled += text.substr(0, begin);
    if (begin == std::string_view::npos) return filled;
    const auto end = text.find("}}", begin);
    if (end == std::string_view::npos) refuse_template(text.substr(begin));
    filled += value(trimmed(text.substr(begin + 2, end - begin - 2)));
    if (filled.size() > kMaxUrlBytes)
      throw Error(ErrorKind::kCorrupt, "a URL in the references is too long");
    text.remove_prefix(end + 2);
  }
}

std::string value_of(std::string_view expression, const Templates& templates) {
  const auto bracket = expression.find('(');
  const std::string_view name = trimmed(expression.substr(0, bracket));
  if (!is_name(name)) refuse_template(expression);
  const std::string* found = find_template(templates, name);
  if (!found)
    throw Error(ErrorKind::kCorrupt, "the references have no template " +
                                         std::string(name.substr(0, 200)));
  if (bracket == std::string_view::npos) {
    if (found->find("{{") != std::string::npos) refuse_template(expression);
    return *found;
  }
  if (!expression.ends_with(')')) refuse_template(expression);
  const Templates arguments = arguments_of(
      expression,
      expression.substr(bracket + 1, expression.size() - bracket - 2));
  return replace_braces(*found, [&](std::string_view argument) {
    const std::string* text = find_template(arguments, argument);
    if (!text) refuse_template(expression);
    return *text;
  });
}

}  // namespace

std::string fill_templates(std::string_view text, const Templates& templates) {
  return replace_braces(text, [&](std::string_view expression) {
    return value_of(expression, templates);
  });
}

std::string decode_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static const auto values = [&] {
    std::array<std::int8_t, 256> table;
    table.fill(-1);
    for (std::size_t digit = 0; digit < kDigits.size(); ++digit)
      table[static_cast<unsigned char>(kDigits[digit])] =
          static_cast<std::int8_t>(digit);
    return table;
  }();
  const auto end = std::min(text.find('='), text.size());
  const std::string_view padding = text.substr(end);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < end; ++i) {
    const int value = values[static_cast<unsigned char>(text[i])];
    if (value < 0)
      throw Error(ErrorKind::kCorrupt, "an inline reference is no base64");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    const std::size_t place = i % 4;  // Six bits more; eight make a byte.
    if (place > 0) bytes += static_cast<char>(bits >> (6 - 2 * place));
  }
  if (text.size() % 4 != 0 ||
      padding != std::string_view("==").substr(
                     0, std::min(padding.size(), std::size_t{2})) ||
      padding.size() > 2)
    throw Error(ErrorKind::kCorrupt, "an inline reference is no base64");
  return bytes;
}

}  // namespace rechunk

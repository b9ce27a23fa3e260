#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "cli/spelling.h"

namespace rechunk::cli {
namespace {

std::string paint(bool colour, std::string_view code, std::string_view text) {
  if (!colour) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", code, text);
}

/// Characters, not bytes, of UTF-8 text.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string Style::bold(std::string_view text) const {
  return paint(colour, "1", text);
}
std::string Style::red(std::string_view text) const {
  return paint(colour, "1;31", text);
}
std::string Style::cyan(std::string_view text) const {
  return paint(colour, "36", text);
}

Style style_of(std::FILE* stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool unwanted = no_color && *no_color;
  const bool dumb = terminal && std::string_view(terminal) == "dumb";
  return {!unwanted && !dumb && isatty(fileno(stream)) != 0};
}

std::string printable(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const auto next =
        static_cast<unsigned char>(at + 1 < text.size() ? text[at + 1] : 0);
    // U+0080 to U+009F are control characters, too.
    const bool is_c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;
    if (is_c1)
      result += fmt::format("\\u{:04x}", text[++at] & 0xff);
    else if (byte < 0x20 || byte == 0x7f)
      result += fmt::format("\\x{:02x}", byte);
    else
      result += text[at];
  }
  return result;
}

std::string format_table(const std::vector<std::vector<std::string>>& texts) {
  std::vector<std::vector<std::string>> rows = texts;
  for (auto& row : rows)
    for (std::string& cell : row) cell = printable(cell);
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], width(row[column]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      line += row[column];
      line.append(widths[column] - width(row[column]) + 3, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string format_seconds(double seconds) {
  if (!std::isfinite(seconds) || seconds > 1e9) return "very long";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string describe_dtype(const std::string& dtype) {
  constexpr std::string_view kKinds = "iufcb";
  constexpr const char* kNames[] = {"int", "uint", "float", "complex", "bool"};
  if (dtype.size() < 3) return dtype;
  const auto kind = kKinds.find(dtype[1]);
  int item_bytes = 0;
  const auto end = dtype.data() + dtype.size();
  const auto parsed = std::from_chars(dtype.data() + 2, end, item_bytes);
  if (std::string_view("<>|").find(dtype[0]) == std::string_view::npos ||
      kind == std::string_view::npos || parsed.ec != std::errc() ||
      parsed.ptr != end || item_bytes < 1 || item_bytes > 32)
    return dtype;
  if (dtype[1] == 'b') return "bool";
  return fmt::format("{}{}{}", kNames[kind], 8 * item_bytes,
                     dtype[0] == '>' ? " (big-endian)" : "");
}

void write_stdout(std::string_view text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
      std::fflush(stdout) == 0;
  // A reader that goes away (`| head`) is no error.
  if (written || errno == EPIPE) return;
  throw Error(ErrorKind::kIo,
              fmt::format("writing to stdout: {}", std::strerror(errno)));
}

namespace {

void print_notice(const std::string& kind, std::string_view message,
                  std::string_view hint) {
  std::string text = fmt::format("{} {}\n", kind, printable(message));
  if (!hint.empty())
    text += fmt::format("\n{} {}\n", style_of(stderr).cyan("hint:"),
                        printable(hint));
  std::fputs(text.c_str(), stderr);
}

}  // namespace

void print_error(const Error& error) {
  const Error shown = error.spelled(in_flags);
  print_error(shown.what(), shown.hint());
}

void print_warning(const Error& error) {
  const Error shown = error.spelled(in_flags);
  print_warning(shown.what(), shown.hint());
}

void print_error(std::string_view message, std::string_view hint) {
  print_notice(style_of(stderr).red("error:"), message, hint);
}

void print_warning(std::string_view message, std::string_view hint) {
  print_notice(style_of(stderr).bold("warning:"), message, hint);
}

void print_notes(const Notes& notes) {
  for (const std::string& line : to_lines(notes))
    std::fputs((printable(spelled(line, in_flags)) + "\n").c_str(), stderr);
}

}  // namespace rechunk::cli

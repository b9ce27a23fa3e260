#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/byte_size.h"
#include "cli/output.h"

namespace rechunk::cli {
namespace {

constexpr int kMaxBarColumns = 40;
constexpr int kMinBarColumns = 5;

int terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return 80;
  return size.ws_col;
}

/// From 0 to 1, by bytes if there are any.
double done_fraction(const Progress& progress) {
  const auto ratio = [](std::int64_t done, std::int64_t total) {
    return static_cast<double>(done) / static_cast<double>(total);
  };
  double fraction = 0;
  if (progress.bytes_total > 0)
    fraction = ratio(progress.bytes_done, progress.bytes_total);
  else if (progress.tasks_total > 0)
    fraction = ratio(progress.tasks_done, progress.tasks_total);
  return std::clamp(fraction, 0.0, 1.0);
}

class ProgressBar : public Observer {
 public:
  ~ProgressBar() override {
    if (drawn_) draw("");
  }

  void on_progress(const Progress& progress) override {
    try {
      // Some terminals break the line after the last column.
      draw(progress_line(progress, terminal_columns() - 1));
      drawn_ = true;
    } catch (const std::bad_alloc&) {
      // A bar that is not drawn hurts nobody.
    }
  }

 private:
  /// Overwrites the line, then clears what is left of the old one.
  static void draw(std::string_view line) {
    std::fprintf(stderr, "\r%.*s\033[K", static_cast<int>(line.size()),
                 line.data());
    std::fflush(stderr);
  }

  bool drawn_ = false;
};

}  // namespace

std::string progress_line(const Progress& progress, int columns) {
  const double fraction = done_fraction(progress);
  // Not rounded, so that 100 % means the end.
  std::string numbers = fmt::format("{:3.0f}%", std::floor(fraction * 100));
  if (progress.seconds > 0 && progress.bytes_done > 0)
    numbers += fmt::format(
        "  {}/s",
        format_byte_size(static_cast<std::int64_t>(
            static_cast<double>(progress.bytes_done) / progress.seconds)));
  if (progress.seconds > 0 && fraction > 0)
    numbers += fmt::format(
        "  {} left",
        format_seconds(progress.seconds / fraction * (1 - fraction)));
  const int room = columns - static_cast<int>(numbers.size()) - 4;
  const int bar_columns = std::min(room, kMaxBarColumns);
  if (bar_columns < kMinBarColumns)
    return numbers.substr(0, static_cast<std::size_t>(std::max(0, columns)));
  const int filled = static_cast<int>(fraction * bar_columns);
  std::string bar(static_cast<std::size_t>(filled), '=');
  if (filled < bar_columns) bar += '>';
  bar.resize(static_cast<std::size_t>(bar_columns), ' ');
  return fmt::format("[{}]  {}", bar, numbers);
}

std::unique_ptr<Observer> make_progress_bar() {
  const char* terminal = std::getenv("TERM");
  if (!isatty(STDERR_FILENO) || !terminal ||
      std::string_view(terminal) == "dumb")
    return nullptr;
  return std::make_unique<ProgressBar>();
}

}  // namespace rechunk::cli

// Finished runs, for people.
#include <fmt/format.h>

#include "base/byte_size.h"
#include "cli/output.h"

namespace rechunk::cli {
namespace {

/// Of all arrays, once, whatever the number of stages.
std::int64_t total_bytes(const Plan& plan) {
  std::int64_t bytes = 0;
  for (const StagedCopySpec& array : plan.arrays)
    bytes = checked_add(
        bytes, checked_multiply(element_count(array.shape), array.item_bytes));
  return bytes;
}

}  // namespace

std::string describe_report(const Plan& plan, const Report& report) {
  const std::int64_t bytes = total_bytes(plan);
  std::string text = fmt::format("done     {} in {}", format_byte_size(bytes),
                                 format_seconds(report.seconds));
  if (report.seconds > 0)
    text += fmt::format(", {}/s",
                        format_byte_size(static_cast<std::int64_t>(
                            static_cast<double>(bytes) / report.seconds)));
  text += fmt::format(", peak memory {}\n", format_byte_size(report.max_rss));

  std::int64_t skipped = 0;
  std::size_t verified = 0;
  for (const ArrayReport& array : report.arrays) {
    verified += !array.digest.empty();
    if (!array.stages.empty())
      skipped += array.stages.back().skipped.objects_written;
  }
  if (skipped > 0)
    text += fmt::format(
        "empty    {} of the target hold only fill values\n",
        skipped == 1 ? "1 object" : fmt::format("{} objects", skipped));
  const std::size_t others = report.arrays.size() - verified;
  if (verified > 0)
    text += fmt::format(
        "verified {} of {} arrays{}\n", verified, report.arrays.size(),
        others > 0 ? fmt::format(", {} as stored", others) : std::string());
  return text;
}

}  // namespace rechunk::cli

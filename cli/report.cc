// Finished runs, for people and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/byte_size.h"
#include "cli/output.h"

namespace rechunk::cli {
namespace {

using Json = nlohmann::ordered_json;

Json counts_json(const Counts& counts) {
  return {{"tasks", counts.tasks},
          {"objects_read", counts.objects_read},
          {"bytes_decoded", counts.bytes_decoded},
          {"objects_written", counts.objects_written},
          {"bytes_encoded", counts.bytes_encoded},
          {"stored_bytes_read", counts.stored_bytes_read},
          {"stored_bytes_written", counts.stored_bytes_written}};
}

void add_array(Json& array, const ArrayReport& report) {
  Json& stages = array["stages"];
  for (std::size_t i = 0; i < std::min(stages.size(), report.stages.size());
       ++i) {
    stages[i]["counted"] = counts_json(report.stages[i].counted);
    stages[i]["skipped"] = counts_json(report.stages[i].skipped);
  }
  if (!report.digest.empty()) array["digest"] = report.digest;
}

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
  if (verified > 0)
    text += fmt::format("verified {} of {} arrays\n", verified,
                        report.arrays.size());
  return text;
}

std::string to_json(const Plan& plan, const Report& report) {
  Json json = Json::parse(rechunk::to_json(plan));
  Json& arrays = json["arrays"];
  for (std::size_t i = 0; i < std::min(arrays.size(), report.arrays.size());
       ++i)
    add_array(arrays[i], report.arrays[i]);
  json["seconds"] = report.seconds;
  json["max_rss"] = report.max_rss;
  return json.dump(2) + "\n";
}

}  // namespace rechunk::cli

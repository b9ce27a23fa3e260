// The JSON form of a finished run.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "rechunk/report.h"

namespace rechunk {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson counts_json(const Counts& counts) {
  return {{"tasks", counts.tasks},
          {"objects_read", counts.objects_read},
          {"bytes_decoded", counts.bytes_decoded},
          {"objects_written", counts.objects_written},
          {"bytes_encoded", counts.bytes_encoded},
          {"stored_bytes_read", counts.stored_bytes_read},
          {"stored_bytes_written", counts.stored_bytes_written}};
}

OrderedJson stage_json(const StageReport& report) {
  return {{"counted", counts_json(report.counted)},
          {"skipped", counts_json(report.skipped)}};
}

void add_array(OrderedJson& array, const ArrayReport& report) {
  OrderedJson& stages = array["stages"];
  for (std::size_t i = 0; i < std::min(stages.size(), report.stages.size());
       ++i)
    stages[i].update(stage_json(report.stages[i]));
  for (std::size_t i = 0; i < report.found_tasks.size(); ++i)
    stages[i]["found_tasks"] = report.found_tasks[i];
  if (!report.digest.empty()) array["digest"] = report.digest;
}

}  // namespace

std::string to_json(const StageReport& report) {
  return stage_json(report).dump(2) + "\n";
}

std::string to_json(const Plan& plan, const Report& report,
                    const Speller& speller) {
  Plan told = plan;
  told.notes.add(report.notes);
  OrderedJson json = OrderedJson::parse(to_json(told, speller));
  OrderedJson& arrays = json["arrays"];
  for (std::size_t i = 0; i < std::min(arrays.size(), report.arrays.size());
       ++i)
    add_array(arrays[i], report.arrays[i]);
  json["files"] = {{"copied", report.files.copied},
                   {"bytes", report.files.bytes}};
  json["seconds"] = report.seconds;
  json["max_rss"] = report.max_rss;
  return json.dump(2) + "\n";
}

}  // namespace rechunk

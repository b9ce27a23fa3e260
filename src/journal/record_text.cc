#include "journal/record_text.h"

#include <nlohmann/json.hpp>

#include "base/text_hash.h"
#include "json/checked_json.h"

namespace rechunk {
namespace {

using Json = nlohmann::json;

Json counts_list(const Counts& counts) {
  return {counts.tasks,
          counts.objects_read,
          counts.bytes_decoded,
          counts.objects_written,
          counts.bytes_encoded,
          counts.stored_bytes_read,
          counts.stored_bytes_written};
}

Counts parse_counts(const Json& json) {
  return {json.at(0), json.at(1), json.at(2), json.at(3),
          json.at(4), json.at(5), json.at(6)};
}

Json sums_json(const ObjectSums& sums) {
  return {sums.objects, sums.marks, sums.contents};
}

ObjectSums parse_sums(const Json& json) {
  return {json.at(0), json.at(1), json.at(2)};
}

Json batch_json(const BatchRecord& record) {
  const auto& [array, stage, first, stop] = record.tasks;
  const auto& lanes = record.result.digest.lanes;
  Json json = {{"tasks", {array, stage, first, stop}},
               {"counted", counts_list(record.result.report.counted)},
               {"skipped", counts_list(record.result.report.skipped)}};
  json["read"] = sums_json(record.result.report.read);
  json["written"] = sums_json(record.result.report.written);
  if (record.known) json["digest"] = {lanes[0], lanes[1]};
  return json;
}

BatchRecord parse_batch(const Json& json) {
  const Json& tasks = json.at("tasks");
  BatchRecord record;
  record.tasks = {tasks.at(0), tasks.at(1), tasks.at(2), tasks.at(3)};
  record.result.report = {parse_counts(json.at("counted")),
                          parse_counts(json.at("skipped")),
                          parse_sums(json.at("read")),
                          parse_sums(json.at("written")),
                          {}};
  record.known = json.contains("digest");
  if (record.known)
    for (int lane = 0; lane < 2; ++lane)
      record.result.digest.lanes[lane] = json.at("digest").at(lane);
  return record;
}

}  // namespace

bool overlap(const TaskRange& a, const TaskRange& b) {
  return a.array == b.array && a.stage == b.stage && a.first < b.stop &&
         b.first < a.stop;
}

std::string format_record(const std::string& run,
                          const std::vector<BatchRecord>& batches) {
  Json list = Json::array();
  for (const BatchRecord& batch : batches) list.push_back(batch_json(batch));
  const std::string text = Json{{"plan", run}, {"batches", list}}.dump();
  return text + "\n" + text_hash(text) + "\n";
}

std::optional<std::vector<BatchRecord>> parse_record(std::string_view text,
                                                     const std::string& run) {
  const std::string_view body = text.substr(0, text.find('\n'));
  if (text != std::string(body) + "\n" + text_hash(body) + "\n")
    return std::nullopt;
  try {
    const Json json = parse_checked<Json>(body);
    if (json.at("plan") != run) return std::nullopt;
    std::vector<BatchRecord> batches;
    for (const Json& batch : json.at("batches"))
      batches.push_back(parse_batch(batch));
    return batches;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_within(const TaskRange& tasks, const Plan& plan) {
  if (tasks.array < 0 || tasks.array >= static_cast<int>(plan.arrays.size()))
    return false;
  const auto& stages = plan.arrays[tasks.array].stages;
  return tasks.stage >= 0 && tasks.stage < static_cast<int>(stages.size()) &&
         tasks.first >= 0 && tasks.first < tasks.stop &&
         tasks.stop <= stages[tasks.stage].tasks;
}

}  // namespace rechunk

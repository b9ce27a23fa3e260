#include <nlohmann/json.hpp>

#include "rechunk/plan.h"

namespace rechunk {
namespace {

using Json = nlohmann::ordered_json;

Json stage_json(const CopySpec& stage) {
  return {{"source", stage.source},
          {"target", stage.target},
          {"chunks", stage.chunks},
          {"block", stage.block},
          {"tasks", stage.tasks},
          {"max_task_bytes", stage.max_task_bytes},
          {"objects_read", stage.objects_read},
          {"bytes_decoded", stage.bytes_decoded},
          {"objects_written", stage.objects_written},
          {"bytes_encoded", stage.bytes_encoded}};
}

Json array_json(const StagedCopySpec& array) {
  Json json = {{"name", array.name},
               {"shape", array.shape},
               {"dtype", array.dtype},
               {"source_chunks", array.source_chunks},
               {"target_chunks", array.target_chunks}};
  if (!array.source_shards.empty()) json["source_shards"] = array.source_shards;
  if (!array.target_shards.empty()) json["target_shards"] = array.target_shards;
  json["method"] = to_string(array.method);
  json["component"] = array.component;
  json["stages"] = Json::array();
  for (const CopySpec& stage : array.stages)
    json["stages"].push_back(stage_json(stage));
  return json;
}

}  // namespace

std::string_view to_string(Method method) {
  switch (method) {
    case Method::kPassthrough:
      return "passthrough";
    case Method::kDirect:
      return "direct";
    case Method::kStaged:
      return "staged";
  }
  return "direct";
}

std::string to_json(const Plan& plan) {
  Json json = {
      {"version", plan.version},       {"max_memory", plan.max_memory},
      {"threads", plan.threads},       {"peak_memory", plan.peak_memory},
      {"temp_bytes", plan.temp_bytes}, {"temp_objects", plan.temp_objects},
      {"arrays", Json::array()}};
  for (const StagedCopySpec& array : plan.arrays)
    json["arrays"].push_back(array_json(array));
  return json.dump(2);
}

}  // namespace rechunk

#include <nlohmann/json.hpp>
#include <utility>

#include "json/checked_json.h"
#include "rechunk/error.h"
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
          {"bytes_encoded", stage.bytes_encoded},
          {"coded", stage.coded}};
}

Json costs_json(const CopyCosts& costs) {
  return {{"calibrated", costs.calibrated},
          {"decode_ns_per_byte", costs.decode_ns_per_byte},
          {"encode_ns_per_byte", costs.encode_ns_per_byte},
          {"source_stored_ratio", costs.source_stored_ratio},
          {"target_stored_ratio", costs.target_stored_ratio},
          {"write_ns_per_byte", costs.write_ns_per_byte},
          {"missing_share", costs.missing_share},
          {"temp_disk_ns_per_byte", costs.temp_disk_ns_per_byte}};
}

CopyCosts parse_costs(const Json& json) {
  CopyCosts costs;
  costs.calibrated = json.value("calibrated", false);
  costs.decode_ns_per_byte = json.value("decode_ns_per_byte", 0.0);
  costs.encode_ns_per_byte = json.value("encode_ns_per_byte", 0.0);
  costs.source_stored_ratio = json.value("source_stored_ratio", 1.0);
  costs.target_stored_ratio = json.value("target_stored_ratio", 1.0);
  costs.write_ns_per_byte = json.value("write_ns_per_byte", 0.0);
  costs.missing_share = json.value("missing_share", 0.0);
  costs.temp_disk_ns_per_byte = json.value("temp_disk_ns_per_byte", 0.0);
  return costs;
}

Json array_json(const StagedCopySpec& array) {
  Json json = {{"name", array.name},
               {"shape", array.shape},
               {"dtype", array.dtype},
               {"item_bytes", array.item_bytes},
               {"source_chunks", array.source_chunks},
               {"target_chunks", array.target_chunks}};
  if (!array.source_shards.empty()) json["source_shards"] = array.source_shards;
  if (!array.target_shards.empty()) json["target_shards"] = array.target_shards;
  json["method"] = to_string(array.method);
  json["component"] = array.component;
  json["window"] = array.window;
  json["predicted_seconds"] = array.predicted_seconds;
  json["costs"] = costs_json(array.costs);
  json["stages"] = Json::array();
  for (const CopySpec& stage : array.stages)
    json["stages"].push_back(stage_json(stage));
  return json;
}

CopySpec parse_stage(const Json& json) {
  CopySpec stage;
  json.at("source").get_to(stage.source);
  json.at("target").get_to(stage.target);
  json.at("chunks").get_to(stage.chunks);
  json.at("block").get_to(stage.block);
  json.at("tasks").get_to(stage.tasks);
  json.at("max_task_bytes").get_to(stage.max_task_bytes);
  json.at("objects_read").get_to(stage.objects_read);
  json.at("bytes_decoded").get_to(stage.bytes_decoded);
  json.at("objects_written").get_to(stage.objects_written);
  json.at("bytes_encoded").get_to(stage.bytes_encoded);
  stage.coded = json.value("coded", false);
  return stage;
}

int parse_int(const Json& json) {
  const auto number = json.get<std::int64_t>();
  if (!std::in_range<int>(number))
    throw Error(ErrorKind::kCorrupt, "reading a plan: a number out of range");
  return static_cast<int>(number);
}

Method parse_method(const std::string& name) {
  for (const Method method :
       {Method::kPassthrough, Method::kDirect, Method::kStaged})
    if (to_string(method) == name) return method;
  throw Error(ErrorKind::kCorrupt, "no method is called " + name);
}

StagedCopySpec parse_array(const Json& json) {
  StagedCopySpec array;
  json.at("name").get_to(array.name);
  json.at("shape").get_to(array.shape);
  json.at("dtype").get_to(array.dtype);
  json.at("item_bytes").get_to(array.item_bytes);
  json.at("source_chunks").get_to(array.source_chunks);
  json.at("target_chunks").get_to(array.target_chunks);
  array.source_shards = json.value("source_shards", Shape{});
  array.target_shards = json.value("target_shards", Shape{});
  array.method = parse_method(json.at("method").get<std::string>());
  json.at("component").get_to(array.component);
  array.window = parse_int(json.value("window", Json(1)));
  array.predicted_seconds = json.value("predicted_seconds", 0.0);
  array.costs = parse_costs(json.value("costs", Json::object()));
  for (const Json& stage : json.at("stages"))
    array.stages.push_back(parse_stage(stage));
  return array;
}

Json not_rechunked_json(const Notes& notes) {
  Json json = Json::array();
  for (const NotRechunked& array : notes.not_rechunked)
    json.push_back({{"name", array.name}, {"cause", array.cause}});
  return json;
}

Json notes_json(const Notes& notes, const Speller& speller) {
  Json json = Json::array();
  for (const Note& note : notes.notes)
    json.push_back({{"kind", note.kind},
                    {"arrays", note.arrays},
                    {"text", spelled(note.text, speller)}});
  return json;
}

// Plan files of older versions have none.
Notes parse_notes(const Json& json) {
  Notes notes;
  for (const Json& array : json.value("not_rechunked", Json::array()))
    notes.not_rechunked.push_back({array.at("name"), array.at("cause")});
  for (const Json& note : json.value("notes", Json::array()))
    notes.notes.push_back(
        {note.at("kind"), note.at("arrays"), note.at("text")});
  return notes;
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

std::string to_json(const Plan& plan, const Speller& speller) {
  Json json = {{"version", plan.version},
               {"max_memory", plan.max_memory},
               {"threads", plan.threads},
               {"peak_memory", plan.peak_memory},
               {"temp_bytes", plan.temp_bytes},
               {"temp_objects", plan.temp_objects},
               {"predicted_seconds", plan.predicted_seconds},
               {"arrays", Json::array()}};
  for (const StagedCopySpec& array : plan.arrays)
    json["arrays"].push_back(array_json(array));
  json["not_rechunked"] = not_rechunked_json(plan.notes);
  json["notes"] = notes_json(plan.notes, speller);
  // Names of types come from files and need not be UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Plan plan_from_json(std::string_view text) {
  try {
    const Json json = parse_checked<Json>(text);
    Plan plan;
    plan.version = parse_int(json.at("version"));
    json.at("max_memory").get_to(plan.max_memory);
    plan.threads = parse_int(json.at("threads"));
    json.at("peak_memory").get_to(plan.peak_memory);
    json.at("temp_bytes").get_to(plan.temp_bytes);
    json.at("temp_objects").get_to(plan.temp_objects);
    plan.predicted_seconds = json.value("predicted_seconds", 0.0);
    for (const Json& array : json.at("arrays"))
      plan.arrays.push_back(parse_array(array));
    plan.notes = parse_notes(json);
    return plan;
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kCorrupt,
                std::string("reading a plan: ") + error.what());
  }
}

}  // namespace rechunk

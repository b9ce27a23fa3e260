// Plan files: the plan's JSON and all that other processes must know.
#include "job/plan_file.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "base/text_hash.h"
#include "job/archive_target.h"
#include "job/choose_parts.h"
#include "json/raw_json.h"
#include "rechunk/error.h"
#include "request/own_places.h"
#include "store/place.h"

namespace rechunk {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr const char* kHash = "plan_hash";

// Documents as text: JSON numbers and bare NaN would not survive otherwise.
OrderedJson documents_json(const Hierarchy& hierarchy) {
  const auto store = make_memory_store();
  write_hierarchy(*store, hierarchy);
  OrderedJson documents = OrderedJson::object();
  store->list("", [&](std::string_view key, std::int64_t) {
    documents[std::string(key)] = *read_text(*store, key);
  });
  return documents;
}

Hierarchy parse_documents(const OrderedJson& documents) {
  const auto store = make_memory_store();
  for (const auto& [key, text] : documents.items())
    write_text(*store, key, text.get<std::string>());
  return read_hierarchy(*store);
}

OrderedJson existing_json(const ExistingTarget& existing) {
  OrderedJson arrays = OrderedJson::object();
  for (const auto& [path, array] : existing.arrays)
    arrays[path] = {{"start", array.start},
                    {"shape", array.shape},
                    {"same_region_of_source", array.same_region_of_source},
                    {"document", array.document},
                    {"axis", array.kept.axis},
                    {"kept", array.kept.length},
                    {"marks", array.marks}};
  return {{"made", existing.made},
          {"arrays", arrays},
          {"untouched", existing.untouched},
          {"only_target", existing.only_target}};
}

ExistingTarget parse_existing(const OrderedJson& json) {
  ExistingTarget existing;
  json.at("made").get_to(existing.made);
  json.at("untouched").get_to(existing.untouched);
  json.at("only_target").get_to(existing.only_target);
  for (const auto& [path, array] : json.at("arrays").items())
    existing.arrays[path] = {array.at("start"),
                             array.at("shape"),
                             array.at("same_region_of_source"),
                             array.at("document"),
                             {array.at("axis"), array.at("kept")},
                             array.at("marks")};
  return existing;
}

// What is another one whenever the same work is planned.
void forget_moment(OrderedJson& existing) {
  existing.erase("made");
  if (!existing.contains("arrays") || !existing["arrays"].is_object()) return;
  for (auto& array : existing["arrays"])
    if (array.is_object()) array.erase("marks");
}

// The parts that a plan file names are some of what is there.
void check_parts(const PlannedJob& job) {
  const auto fits = [&](const auto& entry) {
    const auto target = job.target.arrays.find(entry.first);
    const auto source = job.source.arrays.find(entry.first);
    if (target == job.target.arrays.end() || source == job.source.arrays.end())
      return false;
    const Shape& extent = target->second.shape;
    const ExistingTarget::Array& part = entry.second;
    if (part.start.size() != extent.size() ||
        part.shape.size() != extent.size() ||
        source->second.shape.size() != extent.size())
      return false;
    const Kept& kept = part.kept;
    if (kept.length < 0 || kept.axis < 0 ||
        (kept.length > 0 && (std::cmp_greater_equal(kept.axis, extent.size()) ||
                             kept.length > extent[kept.axis])))
      return false;
    if (source->second.shape != kept.added(extent)) return false;
    for (std::size_t axis = 0; axis < extent.size(); ++axis)
      if (part.start[axis] < 0 || part.shape[axis] < extent[axis] ||
          part.start[axis] > part.shape[axis] - extent[axis] ||
          part.start[axis] % target->second.chunks[axis] != 0)
        return false;
    return true;
  };
  const auto& parts = job.existing->arrays;
  if (parts.size() != job.target.arrays.size() ||
      !std::all_of(parts.begin(), parts.end(), fits))
    throw Error(
        ErrorKind::kCorrupt,
        "reading a plan file: its regions do not fit the target's arrays");
}

OrderedJson seen_json(const SourcesSeen& sources) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [path, seen] : sources)
    json[path] = {{"document", seen.document}, {"object", seen.object}};
  return json;
}

SourcesSeen parse_seen(const OrderedJson& json) {
  SourcesSeen sources;
  for (const auto& [path, seen] : json.items())
    sources[path] = {seen.at("document"), seen.at("object")};
  return sources;
}

// A place, and how to reach it, without secrets.
OrderedJson place_json(const std::string& place,
                       const StorageOptions& storage) {
  OrderedJson json = {{"url", absolute_place(place)}};
  const StorageOptions open = without_secrets(storage);
  if (!open.empty()) json["storage"] = open;
  return json;
}

// Adds what a plan says of its places to what this process was told.
void add_storage(const OrderedJson& json, Storage& told) {
  const std::pair<const char*, StorageOptions&> places[] = {
      {"source", told.source}, {"target", told.target}, {"temp", told.temp}};
  for (const auto& [name, options] : places) {
    // Told for all places: before the plan, too.
    const StorageOptions planned =
        json.at(name).value("storage", StorageOptions());
    for (const auto& [key, value] : planned)
      if (!told.all.contains(key)) options.emplace(key, value);
  }
}

template <class Value>
OrderedJson json_of(const Value& value) {
  return value;
}
OrderedJson json_of(const std::optional<bool>& value) {
  return value ? OrderedJson(*value) : OrderedJson();
}

template <class Value>
void parse(const OrderedJson& json, Value& value) {
  json.get_to(value);
}
void parse(const OrderedJson& json, std::optional<bool>& value) {
  if (!json.is_null()) value = json.get<bool>();
}

OrderedJson options_json(const Options& options) {
  OrderedJson json = OrderedJson::object();
  for (const OptionField& field : kOptionFields)
    if (field.in_plan_file != InPlanFile::kNo)
      json[std::string(field.name)] = std::visit(
          [&](auto member) { return json_of(options.*member); }, field.member);
  return json;
}

// Plan files of older versions have not all of them.
Options parse_options(const OrderedJson& json) {
  Options options;
  const auto& values = json.get_ref<const OrderedJson::object_t&>();
  for (const OptionField& field : kOptionFields) {
    const auto found = values.find(std::string(field.name));
    if (field.in_plan_file == InPlanFile::kNo || found == values.end())
      continue;
    std::visit([&](auto member) { parse(found->second, options.*member); },
               field.member);
  }
  return options;
}

// Whether a run with the options of a plan file does what `options` ask for.
bool same_work(const OrderedJson& json, const Options& options) {
  const OrderedJson own = options_json(options),
                    defaults = options_json(Options());
  return std::all_of(std::begin(kOptionFields), std::end(kOptionFields),
                     [&](const OptionField& field) {
                       const std::string name(field.name);
                       return field.in_plan_file != InPlanFile::kWork ||
                              json.value(name, defaults.at(name)) ==
                                  own.at(name);
                     });
}

// The URLs and documents of the job, without the hash.
OrderedJson file_json(const PlannedJob& job) {
  OrderedJson json = OrderedJson::parse(to_json(job.plan));
  // With marks: whoever loads it spells options in another way.
  for (std::size_t i = 0; i < job.plan.notes.notes.size(); ++i)
    json["notes"][i]["text"] = job.plan.notes.notes[i].text;
  const Storage& storage = job.stores.storage;
  OrderedJson& source = json["source"] =
      place_json(job.places.source, storage.source);
  source["own_documents"] = job.source_has_documents;
  source["documents"] = documents_json(job.source);
  source["seen"] = seen_json(job.sources_seen);
  OrderedJson& target = json["target"] =
      place_json(job.places.target, storage.target);
  target["documents"] = documents_json(job.target);
  if (!job.places.replacement.empty())
    target["replacement"] = job.places.replacement;
  json["temp"] = place_json(job.places.temp, storage.temp);
  if (!job.made.empty()) json["made"] = job.made;
  if (job.existing) json["existing"] = existing_json(*job.existing);
  json["options"] = options_json(job.options);
  return json;
}

// A run empties these: a plan file that was made by hand names no others.
void check_own_places(const Places& places) {
  if (!places.temp.empty() && !is_temp_place(places.temp))
    throw Error(ErrorKind::kCorrupt, "reading a plan file: " + places.temp +
                                         " is no place for temporary data");
  if (!places.replacement.empty() &&
      !is_replacement_of(places.replacement, places.target))
    throw Error(ErrorKind::kCorrupt,
                "reading a plan file: " + places.replacement +
                    " is no place for a new target");
}

}  // namespace

void write_plan_file(PlannedJob& job) {
  OrderedJson json = file_json(job);
  job.hash = text_hash(json.dump());
  json[kHash] = job.hash;
  job.text = json.dump(2) + "\n";
}

bool does_the_same(const std::string& plan_file, const PlannedJob& job) {
  OrderedJson other = OrderedJson::parse(plan_file, nullptr, false),
              own = file_json(job);
  for (OrderedJson* json : {&other, &own})
    if (json->is_object() && json->contains("existing") &&
        (*json)["existing"].is_object())
      forget_moment((*json)["existing"]);
  if (!other.is_object()) return false;
  // Which of its objects were seen says nothing about a source, nor how its
  // store is reached.
  for (OrderedJson* json : {&other, &own})
    for (const char* part : {"source", "target"})
      if (json->contains(part) && (*json)[part].is_object()) {
        (*json)[part].erase("seen");
        (*json)[part].erase("storage");
      }
  // A run that replaces the target does not do the same for a job that must
  // not; one that was begun otherwise has nothing to replace.
  const bool other_replaces =
      other.contains("target") && other["target"].contains("replacement");
  if (other_replaces && !job.options.overwrite && !packs(job)) return false;
  for (OrderedJson* json : {&other, &own})
    if (json->contains("target") && (*json)["target"].is_object())
      (*json)["target"].erase("replacement");
  for (const char* part : {"source", "target"})
    if (!other.contains(part) || other[part] != own[part]) return false;
  const auto options = other.find("options");
  if (options == other.end() || !options->is_object() ||
      !same_work(*options, job.options))
    return false;
  if (other.value("existing", OrderedJson()) !=
      own.value("existing", OrderedJson()))
    return false;
  return other.contains("max_memory") &&
         other["max_memory"].is_number_integer() &&
         other["max_memory"] <= job.options.max_memory;
}

PlannedJob read_plan_file(const std::string& text, const Stores& stores) {
  PlannedJob job;
  raw_json::parse(text);  // Not too deep for what follows.
  try {
    OrderedJson json = OrderedJson::parse(text);
    job.hash = json.at(kHash).get<std::string>();
    json.erase(kHash);
    if (text_hash(json.dump()) != job.hash)
      throw Error(ErrorKind::kCorrupt,
                  "reading a plan file: it was changed after it was saved",
                  "make another with " + action("save"));
    job.plan = plan_from_json(text);
    job.places = {json.at("source").at("url"), json.at("target").at("url"),
                  json.at("temp").at("url")};
    job.places.replacement = json.at("target").value("replacement", "");
    job.made = json.value("made", "");
    job.source_has_documents = json.at("source").value("own_documents", true);
    job.sources_seen =
        parse_seen(json.at("source").value("seen", OrderedJson::object()));
    job.source = parse_documents(json.at("source").at("documents"));
    job.target = parse_documents(json.at("target").at("documents"));
    job.options = parse_options(json.at("options"));
    job.stores = stores;
    add_storage(json, job.stores.storage);
    if (into_existing(job.options))
      job.existing = parse_existing(json.at("existing"));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kCorrupt,
                std::string("reading a plan file: ") + error.what());
  }
  check_own_places(job.places);
  job.options.max_memory = job.plan.max_memory;
  job.options.threads = job.plan.threads;
  job.text = text;
  open_stores(job);
  if (job.existing) {
    check_parts(job);
    place_parts(job);
  }
  for (const auto& [path, array] : job.source.arrays) {
    const auto target = job.target.arrays.find(path);
    if (target == job.target.arrays.end())
      throw Error(ErrorKind::kCorrupt,
                  "reading a plan file: its target has no array " + path);
    if ((!job.existing && array.shape != target->second.shape) ||
        !same_type(array.data_type, target->second.data_type))
      throw Error(ErrorKind::kCorrupt,
                  "reading a plan file: shape or type of source and target "
                  "differ in array '" +
                      path + "'");
  }
  try {
    validate(job);
  } catch (const Error& error) {
    throw Error(ErrorKind::kCorrupt,
                std::string("reading a plan file: ") + error.what());
  }
  return job;
}

}  // namespace rechunk

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/byte_size.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/storage.h"

namespace rechunk::cli {
namespace {

using Json = nlohmann::ordered_json;

/// The value itself, or its text if it is not JSON (a bare NaN).
Json fill_json(const std::string& text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

/// What is not known is null.
Json known_json(const std::optional<std::int64_t>& count) {
  return count ? Json(*count) : Json();
}

Json unread_json(const ArrayInfo& array) {
  Json json = {{"name", array.name}, {"zarr_format", array.zarr_format}};
  for (const char* key : {"shape", "dtype", "chunks", "shards", "codecs",
                          "fill_value", "dimension_names", "bytes"})
    json[key] = nullptr;
  json["objects"] = known_json(array.objects);
  json["stored_bytes"] = known_json(array.stored_bytes);
  json["cause"] = array.cause;
  return json;
}

Json array_json(const ArrayInfo& array) {
  if (!array.cause.empty()) return unread_json(array);
  return {{"name", array.name},
          {"zarr_format", array.zarr_format},
          {"shape", array.shape},
          {"dtype", array.dtype},
          {"chunks", array.chunks},
          {"shards", array.shards},
          {"codecs", array.codecs},
          {"fill_value", fill_json(array.fill_value)},
          {"dimension_names", array.dimension_names},
          {"bytes", array.bytes},
          {"objects", known_json(array.objects)},
          {"stored_bytes", known_json(array.stored_bytes)}};
}

std::string json_text(const std::vector<ArrayInfo>& arrays) {
  Json list = Json::array();
  for (const ArrayInfo& array : arrays) list.push_back(array_json(array));
  const Json json = {{"arrays", list}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string shape_with_names(const ArrayInfo& array) {
  std::string text = to_string(array.shape);
  if (!array.dimension_names.empty())
    text += fmt::format(" {}", fmt::join(array.dimension_names, ","));
  return text;
}

std::string table_text(const std::vector<ArrayInfo>& arrays) {
  if (arrays.empty()) return "no arrays\n";
  const bool sharded =
      std::any_of(arrays.begin(), arrays.end(),
                  [](const ArrayInfo& array) { return !array.shards.empty(); });
  std::vector<std::vector<std::string>> rows = {
      {"array", "shape", "type", "chunks", "codecs", "size", "stored",
       "objects", "format"}};
  if (sharded) rows[0].insert(rows[0].begin() + 4, "shards");
  for (const ArrayInfo& array : arrays) {
    const bool unread = !array.cause.empty();
    const auto known = [&](std::string text) {
      return unread ? std::string("?") : text;
    };
    rows.push_back(
        {array.name.empty() ? "(root)" : array.name,
         known(shape_with_names(array)), known(describe_dtype(array.dtype)),
         known(to_string(array.chunks)), known(array.codecs),
         array.bytes > 0 ? format_byte_size(array.bytes) : "-",
         array.stored_bytes ? format_byte_size(*array.stored_bytes) : "?",
         array.objects ? std::to_string(*array.objects) : "?",
         fmt::format("v{}", array.zarr_format)});
    if (sharded)
      rows.back().insert(rows.back().begin() + 4,
                         array.shards.empty() ? "-" : to_string(array.shards));
  }
  std::string text = format_table(rows);
  for (const ArrayInfo& array : arrays)
    if (!array.cause.empty())
      text +=
          fmt::format("{} is not understood: {}\n", array.name, array.cause);
  return text;
}

}  // namespace

int run_info(const Arguments& arguments) {
  const std::vector<ArrayInfo> arrays = info(
      arguments.source, make_storage(arguments).for_source(arguments.source),
      arguments.options.references_below);
  write_stdout(arguments.json ? json_text(arrays) : table_text(arrays));
  return 0;
}

}  // namespace rechunk::cli

#include "request/document_notes.h"

#include <fmt/format.h>

#include <algorithm>

#include "json/raw_json.h"
#include "zarr/documents/layout.h"
#include "zarr/documents/missing_value.h"
#include "zarr/documents/zarr_python.h"

namespace rechunk {
namespace {

/// Notes on one node, by the kind of what changes.
class NodeNotes {
 public:
  NodeNotes(Notes& notes, const std::string& path)
      : notes_(notes), path_(path) {}

  void add(std::string_view kind, std::string_view text) {
    notes_.add(kind, path_, text);
  }

 private:
  Notes& notes_;
  const std::string& path_;
};

bool has_attribute(const std::optional<std::string>& attributes,
                   std::string_view key) {
  return attributes && raw_json::find(*attributes, key).has_value();
}

void note_missing_value_in_v3(const ArrayMetadata& source,
                              const ArrayMetadata& target, NodeNotes& notes) {
  if (!opened_by_xarray(source)) return;
  const bool masked = source.fill_value.json != "null" ||
                      has_attribute(source.attributes, kFillValueAttribute);
  if (!masked) return;
  if (has_attribute(target.attributes, kFillValueAttribute))
    notes.add("fill_value",
              "the missing value that xarray sees becomes the attribute "
              "_FillValue, because v3's fill value is not a missing value");
  else
    notes.add(
        "fill_value",
        "xarray no longer masks the fill value, because in v3 it reads no "
        "_FillValue of this data type");
}

void note_missing_value_in_v2(const ArrayMetadata& source,
                              const ArrayMetadata& target, NodeNotes& notes) {
  if (!opened_by_xarray(source)) return;
  const bool masked = target.fill_value.json != "null";
  const bool was_masked =
      has_attribute(source.attributes, kFillValueAttribute) &&
      !has_attribute(target.attributes, kFillValueAttribute);
  const bool written_out = source.fill_value.bits != target.fill_value.bits;
  const bool same = raw_json::canonical(source.fill_value.json) ==
                    raw_json::canonical(target.fill_value.json);
  if (written_out)
    notes.add("fill_value",
              fmt::format("the fill value becomes {}, so that xarray sees the "
                          "same; missing chunks are written out",
                          masked ? "that of _FillValue" : "null"));
  else if (was_masked)
    notes.add("fill_value", "the attribute _FillValue becomes the fill value");
  else if (!masked)
    notes.add(
        "fill_value",
        "the fill value becomes null, because xarray masks v2's fill value");
  else if (!same || !is_decodable(source))
    notes.add("fill_value", "xarray masks the fill value from now on");
}

void note_spelling(const ArrayMetadata& source, const ArrayMetadata& target,
                   NodeNotes& notes) {
  if (target.zarr_format == 2 && !source.v2_dtype.empty() &&
      target.v2_dtype.empty())
    notes.add("data_type", fmt::format("data type {} is written as {}",
                                       source.v2_dtype, target.data_type.v2));
  if (source.zarr_format != target.zarr_format) return;
  const std::string &before = source.fill_value.json,
                    &after = target.fill_value.json;
  if (raw_json::canonical(before) != raw_json::canonical(after))
    notes.add("fill_value",
              fmt::format("fill value {} is written as {}",
                          raw_json::excerpt(before), raw_json::excerpt(after)));
}

void note_left_behind(const ArrayMetadata& source, NodeNotes& notes) {
  for (const auto& [key, text] : source.extra)
    notes.add("members",
              fmt::format("member {} of the metadata is left out, because the "
                          "other format does not have it",
                          raw_json::quote(key)));
}

void note_array(const ArrayMetadata& source, const ArrayMetadata& target,
                NodeNotes notes) {
  note_spelling(source, target, notes);
  if (source.zarr_format == target.zarr_format) return;
  note_left_behind(source, notes);
  if (target.zarr_format == 2)
    return note_missing_value_in_v2(source, target, notes);
  note_missing_value_in_v3(source, target, notes);
}

void note_unread(const ArrayMetadata& target, NodeNotes notes) {
  if (const auto text = unread_by_zarr_python(target))
    notes.add("unreadable", *text);
}

void note_nan(const std::optional<std::string>& source,
              const std::optional<std::string>& target, NodeNotes notes) {
  if (target && raw_json::has_bare_names(*target) && source &&
      raw_json::has_bare_names(*source))
    notes.add("nan_attributes",
              "attributes hold NaN or Infinity, which strict readers of "
              "zarr.json, such as TensorStore, refuse; " +
                  option_on("nan_attributes_as_text") +
                  " writes them as strings");
  else if (source && raw_json::has_bare_names(*source))
    notes.add("nan_attributes",
              "NaN and Infinity in attributes are written as strings");
}

void note_ome(const GroupMetadata& source, int zarr_format, NodeNotes notes) {
  if (zarr_format == 2 && has_attribute(source.attributes, "ome"))
    notes.add("ome",
              "its attributes stay those of OME-Zarr 0.5, whose readers expect "
              "Zarr v3");
  if (zarr_format == 2) return;
  constexpr std::string_view kNames[] = {"multiscales", "plate", "well",
                                         "bioformats2raw.layout"};
  if (std::any_of(std::begin(kNames), std::end(kNames), [&](auto key) {
        return has_attribute(source.attributes, key);
      }))
    notes.add("ome",
              "its attributes stay those of OME-Zarr 0.4, whose readers expect "
              "Zarr v2");
}

}  // namespace

Notes document_notes(const Hierarchy& source, const Hierarchy& target) {
  Notes notes;
  const bool converted = source.zarr_format != target.zarr_format;
  const bool to_v3 = converted && target.zarr_format == 3;
  for (const auto& [path, array] : source.arrays) {
    const auto other = target.arrays.find(path);
    if (other == target.arrays.end()) continue;
    note_array(array, other->second, {notes, path});
    note_unread(other->second, {notes, path});
    if (to_v3 || array.attributes != other->second.attributes)
      note_nan(array.attributes, other->second.attributes, {notes, path});
  }
  for (const auto& [path, group] : source.groups) {
    const auto other = target.groups.find(path);
    if (other == target.groups.end()) continue;
    const std::string name = path.empty() ? "the root group" : path;
    if (to_v3 || group.attributes != other->second.attributes)
      note_nan(group.attributes, other->second.attributes, {notes, name});
    if (!converted) continue;
    note_ome(group, target.zarr_format, {notes, name});
    for (const auto& [key, text] : group.extra)
      NodeNotes(notes, name)
          .add("members",
               fmt::format("member {} of the metadata is left out, "
                           "because the other format does not have it",
                           raw_json::quote(key)));
  }
  return notes;
}

}  // namespace rechunk

#include "zarr/documents/dimension_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <string_view>

#include "json/raw_json.h"
#include "rechunk/wording.h"

namespace rechunk {
namespace {

using Names = std::vector<std::string>;

/// The elements of a member that is a list; none if it is no list.
std::vector<std::string_view> list_in(std::string_view object,
                                      std::string_view key) {
  if (!raw_json::is_object(object)) return {};
  const auto list = raw_json::find(object, key);
  if (!list || !raw_json::is_list(*list)) return {};
  return raw_json::elements(*list);
}

/// The text of a member; "" if it is no text.
std::string text_in(std::string_view object, std::string_view key) {
  if (!raw_json::is_object(object)) return "";
  const auto text = raw_json::find(object, key);
  return text ? raw_json::as_string(*text).value_or("") : "";
}

/// OME-Zarr 0.5 has the list in the member "ome" of the attributes, older
/// versions in the attributes themselves.
std::vector<std::string_view> multiscales_in(const std::string& attributes) {
  const std::string_view object = raw_json::parse(attributes);
  const auto ome = raw_json::find(object, "ome");
  return list_in(ome ? *ome : object, "multiscales");
}

/// OME-Zarr 0.3 has bare names, later versions objects with a name.
Names names_of_axes(std::string_view image) {
  Names names;
  for (const std::string_view axis : list_in(image, "axes"))
    names.push_back(raw_json::as_string(axis).value_or(text_in(axis, "name")));
  return names;
}

}  // namespace

std::vector<std::string> dimension_names_of(const ArrayMetadata& metadata) {
  std::vector<std::string> names;
  if (!metadata.dimension_names) return names;
  for (const auto& name : *metadata.dimension_names)
    names.push_back(name.value_or(""));
  if (names.size() != metadata.shape.size()) names.clear();
  return names;
}

DimensionNames::DimensionNames(const Hierarchy& hierarchy) {
  for (const auto& [path, group] : hierarchy.groups) {
    if (!group.attributes) continue;
    for (const std::string_view image : multiscales_in(*group.attributes)) {
      const Names names = names_of_axes(image);
      for (const std::string_view level : list_in(image, "datasets"))
        axes_[join_key(path, text_in(level, "path"))] = names;
    }
  }
}

std::vector<std::string> DimensionNames::of(const std::string& path,
                                            const ArrayMetadata& array) const {
  Names own = dimension_names_of(array);
  const auto axes = axes_.find(path);
  // An array's own names come before those that its group gives it.
  if (!own.empty() || axes == axes_.end() ||
      axes->second.size() != array.shape.size())
    return own;
  return axes->second;
}

std::string list_dimensions(const DimensionNames& names,
                            const Hierarchy& hierarchy) {
  std::set<std::string> all;
  for (const auto& [path, array] : hierarchy.arrays)
    for (const std::string& name : names.of(path, array))
      if (!name.empty()) all.insert(name);
  std::string text =
      all.empty()
          ? "its dimensions have no names: give a length for each, as " +
                action("info") + " shows them"
          : fmt::format("its dimensions are: {}", fmt::join(all, ", "));
  for (const auto& [path, array] : hierarchy.unread)
    text += fmt::format("; array {} is not understood: {}", path, array.cause);
  return text;
}

}  // namespace rechunk

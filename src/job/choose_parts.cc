// Which part of an existing target a job writes, and whether it may.
#include "job/choose_parts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "base/array_label.h"
#include "base/random_number.h"
#include "job/compare_kept.h"
#include "json/raw_json.h"
#include "rechunk/error.h"
#include "request/region_spec.h"
#include "request/target_hierarchy.h"
#include "zarr/documents/dimension_names.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/keys.h"

namespace rechunk {
namespace {

[[noreturn]] void refuse(const std::string& what, std::string hint = {}) {
  throw Error(ErrorKind::kInvalidArgument, what, std::move(hint));
}

void check_options(const Options& options) {
  if (!options.region.empty() && !options.append.empty())
    refuse(option("region") + " and " + option("append") +
           ": a run does one of them");
  const bool layout =
      !options.chunks.empty() || !options.shards.empty() ||
      !options.codec.empty() || options.zarr_format != 0 ||
      !options.array_chunks.empty() || !options.array_chunk_words.empty() ||
      !options.array_codec_words.empty() || !options.array_shards.empty() ||
      !options.array_codecs.empty() || options.consolidate ||
      options.nan_attributes_as_text;
  const std::string given =
      option(options.region.empty() ? "append" : "region");
  if (layout)
    refuse(fmt::format("{}: the target exists, and keeps its chunks, shards, "
                       "codecs and format",
                       given),
           "leave out the options that choose others");
  if (options.overwrite)
    refuse(fmt::format("{} and {}: a part is written, and nothing else removed",
                       given, option_on("overwrite")));
}

// One spelling of "days since 2024-01-01 00:00:00".
std::string meaning_of(std::string_view attribute) {
  std::string text = raw_json::canonical(attribute);
  for (const char* midnight : {" 00:00:00\"", "T00:00:00\"", " 00:00\""})
    if (text.ends_with(midnight))
      text.replace(text.size() - std::string_view(midnight).size(),
                   std::string::npos, "\"");
  return text;
}

// Numbers whose meaning depends on these cannot stand in one array.
void check_meaning(const ArrayMetadata& source, const ArrayMetadata& target) {
  if (!source.attributes || !target.attributes) return;
  for (const char* key : {"units", "calendar", "scale_factor", "add_offset"}) {
    const auto from = raw_json::find(*source.attributes, key);
    const auto to = raw_json::find(*target.attributes, key);
    if (from && to && meaning_of(*from) != meaning_of(*to))
      refuse(fmt::format("attribute \"{}\" is {} in the source and {} in the "
                         "target",
                         key, raw_json::excerpt(*from), raw_json::excerpt(*to)),
             "its numbers would mean something else there");
  }
}

// Where both sides name a dimension, it is the same one.
void check_dimensions(const ArrayMetadata& source,
                      const ArrayMetadata& target) {
  const auto from = dimension_names_of(source), to = dimension_names_of(target);
  for (std::size_t axis = 0; axis < std::min(from.size(), to.size()); ++axis)
    if (!from[axis].empty() && !to[axis].empty() && from[axis] != to[axis])
      refuse(fmt::format("its dimensions are ({}) in the source and ({}) in "
                         "the target",
                         fmt::join(from, ", "), fmt::join(to, ", ")),
             "give both the same names in the same order: transpose or rename "
             "those of the source");
}

void check_alike(const ArrayMetadata& source, const ArrayMetadata& target) {
  if (!same_type(source.data_type, target.data_type))
    refuse(fmt::format("the source is of type {}, the target of {}",
                       source.data_type.label(), target.data_type.label()));
  if (source.shape.size() != target.shape.size())
    refuse(fmt::format("the source has {} dimensions, the target {}",
                       source.shape.size(), target.shape.size()));
  check_dimensions(source, target);
  check_meaning(source, target);
}

/// What the text of the options asks for.
struct Request {
  bool append = false;
  std::vector<RegionRange> ranges;  ///< Or the one dimension.
};

// Nobody knows whether it has the dimension that grows, or the region.
void check_read(const Hierarchy& hierarchy, std::string_view whose) {
  for (const auto& [path, array] : hierarchy.unread)
    throw Error(ErrorKind::kUnsupported,
                fmt::format("array {} of the {}: {}", path, whose, array.cause),
                "it can only be moved as stored, to a new target");
}

class Chooser {
 public:
  Chooser(PlannedJob& job, const Hierarchy& existing)
      : job_(job), existing_(existing) {
    request_.append = !job.options.append.empty();
    if (request_.append)
      request_.ranges = {{job.options.append}};
    else
      request_.ranges =
          with_context([&] { return parse_region(job.options.region); },
                       [] { return option("region"); });
  }

  void choose() {
    check_read(job_.source, "source");
    check_read(existing_, "target");
    check_names();
    std::map<std::string, ArrayMetadata> sources, targets;
    for (const auto& [path, source] : job_.source.arrays) {
      const auto found = existing_.arrays.find(path);
      if (found == existing_.arrays.end())
        refuse("the target has no array " + path,
               "leave it out of the source, or make a new target");
      ArrayMetadata from = source, to = found->second;
      const bool taken =
          with_context([&] { return choose_array(path, from, to); },
                       [&] { return array_label(path); });
      if (!taken) continue;
      sources.emplace(path, std::move(from));
      targets.emplace(path, std::move(to));
    }
    find_other_arrays();
    job_.source.arrays = std::move(sources);
    job_.target = existing_;
    job_.target.arrays = std::move(targets);
  }

 private:
  void find_other_arrays() {
    for (const auto& [path, array] : existing_.arrays)
      if (!job_.source.arrays.contains(path))
        job_.existing->only_target.push_back(path);
  }

  bool has_dimension(const ArrayMetadata& array,
                     const std::string& dimension) const {
    const auto names = dimension_names_of(array);
    // In a group a number would be another dimension in each array.
    if (!existing_.root_is_array &&
        std::find(names.begin(), names.end(), dimension) == names.end())
      return false;
    return axis_of(dimension, names, static_cast<int>(array.shape.size())) >= 0;
  }

  bool has_any(const ArrayMetadata& array) const {
    return request_.ranges.empty() ||
           std::any_of(request_.ranges.begin(), request_.ranges.end(),
                       [&](const RegionRange& range) {
                         return has_dimension(array, range.dimension);
                       });
  }

  void check_names() const {
    if (existing_.root_is_array != job_.source.root_is_array)
      refuse(fmt::format("the source is {}, the target {}",
                         job_.source.root_is_array ? "an array" : "a group",
                         existing_.root_is_array ? "an array" : "a group"));
    for (const RegionRange& range : request_.ranges) {
      std::set<std::string> names;
      bool found = false;
      for (const auto& [path, array] : existing_.arrays) {
        found = found || has_dimension(array, range.dimension);
        for (const std::string& name : dimension_names_of(array))
          if (!name.empty()) names.insert(name);
      }
      if (!found)
        refuse(fmt::format("{}: the target has no dimension \"{}\"",
                           option(request_.append ? "append" : "region"),
                           range.dimension),
               names.empty()
                   ? "its dimensions have no names, but numbers from 0"
                   : fmt::format("its dimensions are: {}",
                                 fmt::join(names, ", ")));
    }
    if (!request_.append) return;
    for (const auto& [path, array] : existing_.arrays)
      if (has_any(array) && !job_.source.arrays.contains(path))
        refuse(option("append") + ": the source has no array " + path +
                   ", which would be left behind",
               "all arrays that have the dimension grow together");
  }

  /// False if the array has nothing to do with what is asked for.
  bool choose_array(const std::string& path, ArrayMetadata& source,
                    ArrayMetadata& target) {
    if (!has_any(target)) {
      if (source.shape != target.shape)
        refuse(
            fmt::format("it has shape {} in the source and {} in the "
                        "target, and the run does not write it",
                        to_string(source.shape), to_string(target.shape)));
      check_dimensions(source, target);
      check_meaning(source, target);
      if (!compare_kept_array(job_, path, source, target))
        job_.existing->not_compared.push_back(path);
      job_.existing->untouched.push_back(path);
      return false;
    }
    check_alike(source, target);
    ExistingTarget::Array part = request_.append ? appended(source, target)
                                                 : region(path, source, target);
    Shape extent = source.shape;
    if (part.same_region_of_source) extent = region_.extent();
    source.shape = target.shape = extent;
    if (part.kept.length > 0) target.shape[part.kept.axis] += part.kept.length;
    part.document = *read_text(*job_.stores.target,
                               array_document_key(path, target.zarr_format));
    job_.existing->arrays.emplace(path, std::move(part));
    return true;
  }

  ExistingTarget::Array appended(const ArrayMetadata& source,
                                 const ArrayMetadata& target) {
    const auto axis = static_cast<std::size_t>(
        axis_of(job_.options.append, dimension_names_of(target),
                static_cast<int>(target.shape.size())));
    for (std::size_t other = 0; other < target.shape.size(); ++other)
      if (other != axis && source.shape[other] != target.shape[other])
        refuse(fmt::format("{}: the source has shape {}, the target {}",
                           option("append", job_.options.append),
                           to_string(source.shape), to_string(target.shape)),
               "all other dimensions must be equal");
    const std::int64_t length = target.shape[axis], step = target.chunks[axis];
    ExistingTarget::Array part{
        Shape(target.shape.size(), 0), target.shape, {}, {}};
    // What is there of the last object is written again, with more behind.
    part.kept = {static_cast<int>(axis),
                 source.shape[axis] > 0 ? length % step : 0};
    part.start[axis] = length - length % step;
    part.shape[axis] = checked_add(length, source.shape[axis]);
    return part;
  }

  ExistingTarget::Array region(const std::string& path,
                               const ArrayMetadata& source,
                               const ArrayMetadata& target) {
    const auto names = dimension_names_of(target);
    region_ = with_context(
        [&] { return resolve_region(request_.ranges, names, target.shape); },
        [] { return option("region"); });
    const bool own = source.shape == region_.extent();
    if (!own && source.shape != target.shape)
      refuse(
          fmt::format("the source has shape {}, neither that of the region, "
                      "{}, nor that of the target, {}",
                      to_string(source.shape), to_string(region_.extent()),
                      to_string(target.shape)));
    Shape steps = target.chunks;
    if (!own && !job_.stores.array_sources.contains(path))
      for (std::size_t axis = 0; axis < steps.size(); ++axis)
        steps[axis] = std::lcm(steps[axis], source.chunks[axis]);
    const Region would_do = aligned(region_, steps, target.shape);
    if (would_do != region_)
      refuse(fmt::format(
                 "{}: it does not lie on the boundaries of the {}{}, which are "
                 "multiples of {}",
                 option("region", region_text(region_, names, target.shape)),
                 target_objects(target), own ? "" : " and the source's",
                 to_string(steps)),
             option("region", region_text(would_do, names, target.shape)) +
                 " would do");
    return {region_.start, target.shape, !own, {}};
  }

  static const char* target_objects(const ArrayMetadata& target) {
    return shards_of(target) ? "target's shards" : "target's chunks";
  }

  PlannedJob& job_;
  const Hierarchy& existing_;
  Request request_;
  Region region_;
};

}  // namespace

bool into_existing(const Options& options) {
  return !options.region.empty() || !options.append.empty();
}

void choose_parts(PlannedJob& job) {
  check_options(job.options);
  const Hierarchy existing = read_hierarchy(*job.stores.target);
  job.existing.emplace();
  job.existing->made = random_number();
  Chooser(job, existing).choose();
}

}  // namespace rechunk

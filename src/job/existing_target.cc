#include "job/existing_target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "job/choose_parts.h"
#include "job/partial_objects.h"
#include "job/planned_job.h"
#include "json/raw_json.h"
#include "rechunk/array_source.h"
#include "rechunk/error.h"
#include "request/region_spec.h"
#include "zarr/documents/dimension_names.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/group_above.h"
#include "zarr/documents/keys.h"

namespace rechunk {
namespace {

/// Reads a region of an array that is in memory, or made by Python.
class PartOfArray final : public ArraySource {
 public:
  PartOfArray(std::shared_ptr<const ArraySource> whole, Shape start)
      : whole_(std::move(whole)), start_(std::move(start)) {}

  void read(const Region& region,
            std::span<std::byte> destination) const override {
    Region moved = region;
    for (std::size_t axis = 0; axis < start_.size(); ++axis) {
      moved.start[axis] += start_[axis];
      moved.stop[axis] += start_[axis];
    }
    whole_->read(moved, destination);
  }
  bool any_regions() const override { return whole_->any_regions(); }

 private:
  const std::shared_ptr<const ArraySource> whole_;
  const Shape start_;
};

Shape divided(const Shape& start, const Shape& objects) {
  Shape first = start;
  for (std::size_t axis = 0; axis < first.size(); ++axis)
    first[axis] /= objects[axis];
  return first;
}

std::string document_key(const PlannedJob& job, const std::string& path) {
  return array_document_key(path, job.target.arrays.at(path).zarr_format);
}

/// The object in a document, without the white space around it.
std::string_view object_in(const std::string& document) {
  const std::string_view object = raw_json::parse(document);
  if (!raw_json::is_object(object))
    throw Error(ErrorKind::kCorrupt, "the document of an array is no object");
  return object;
}

std::string with_shape(const std::string& document, const Shape& shape) {
  return raw_json::with_member(object_in(document), "shape",
                               fmt::format("[{}]", fmt::join(shape, ", ")));
}

/// All but what may change while a run is left.
std::string layout_of(const std::string& document) {
  return raw_json::canonical(
      raw_json::without_member(object_in(document), "attributes"));
}

enum class Growth { kBefore, kAfter, kOther };

Growth growth_of(const ExistingTarget::Array& array,
                 const std::string& document) {
  const std::string layout = layout_of(document);
  if (layout == layout_of(array.document)) return Growth::kBefore;
  return layout == layout_of(with_shape(array.document, array.shape))
             ? Growth::kAfter
             : Growth::kOther;
}

[[noreturn]] void throw_other(const PlannedJob& job, const std::string& key) {
  throw Error(
      ErrorKind::kInvalidArgument,
      job.stores.target->describe(key) +
          " is not what it was when the run was planned",
      "put it back; or " + action("discard") + " the run and plan another");
}

std::string current_document(const PlannedJob& job, const std::string& path) {
  const std::string key = document_key(job, path);
  const auto document = read_text(*job.stores.target, key);
  const auto& part = job.existing->arrays.at(path);
  if (!document || growth_of(part, *document) == Growth::kOther)
    throw_other(job, key);
  return *document;
}

// The other document lies there, under another name, before this looks for the
// last time: whoever ends the run meanwhile removes it.
void replace_document(const PlannedJob& job, const std::string& path,
                      const std::string& document, const std::string& other) {
  const std::string key = document_key(job, path);
  const auto writer = job.stores.target->open_writer(key);
  writer->append(std::as_bytes(std::span(other)));
  if (read_text(*job.stores.target, key) != document) throw_other(job, key);
  writer->commit();
}

// Those with the fewest dimensions last: readers look for a coordinate's
// elements as soon as it has grown.
std::vector<std::string> in_order(const PlannedJob& job) {
  std::vector<std::string> paths;
  for (const auto& [path, array] : job.existing->arrays) paths.push_back(path);
  std::stable_sort(paths.begin(), paths.end(), [&](auto& a, auto& b) {
    return job.target.arrays.at(a).shape.size() >
           job.target.arrays.at(b).shape.size();
  });
  return paths;
}

// Of the target's groups, deepest first, and of those above it.
void rebuild_consolidated(const PlannedJob& job) {
  const std::shared_ptr<Store>& target = job.stores.target;
  for (auto group = job.target.groups.rbegin();
       group != job.target.groups.rend(); ++group)
    if (const auto store =
            group->first.empty() ? nullptr : target->below(group->first))
      consolidate_again(*store);
  consolidate_again(*target);
  consolidate_above(*target);
}

}  // namespace

void place_parts(PlannedJob& job) {
  for (const auto& [path, part] : job.existing->arrays) {
    ArrayMetadata& target = job.target.arrays.at(path);
    target.key_encoding.first = divided(part.start, target.chunks);
    if (!part.same_region_of_source) continue;
    const auto array = job.stores.array_sources.find(path);
    if (array != job.stores.array_sources.end()) {
      array->second =
          std::make_shared<const PartOfArray>(array->second, part.start);
      continue;
    }
    ArrayMetadata& source = job.source.arrays.at(path);
    source.key_encoding.first = divided(part.start, source.chunks);
  }
}

Kept kept_of(const PlannedJob& job, const std::string& path) {
  return job.existing ? job.existing->arrays.at(path).kept : Kept{};
}

Hierarchy part_of_source(const PlannedJob& job, Hierarchy source) {
  if (!job.existing) return source;
  std::erase_if(source.arrays, [&](const auto& entry) {
    return !job.existing->arrays.contains(entry.first);
  });
  for (auto& [path, array] : source.arrays)
    if (job.existing->arrays.at(path).same_region_of_source)
      array.shape = job.source.arrays.at(path).shape;
  return source;
}

void check_existing(const PlannedJob& job, bool goes_on) {
  for (const auto& [path, part] : job.existing->arrays) {
    const std::string document = current_document(job, path);
    // What has grown by as much may have grown by somebody else's data.
    if (!goes_on && growth_of(part, document) != Growth::kBefore)
      throw_other(job, document_key(job, path));
    if (!goes_on && part.kept.length > 0)
      PartialObjects(job, path).check_as_planned();
  }
}

void grow_arrays(const PlannedJob& job) {
  for (const std::string& path : in_order(job)) {
    const ExistingTarget::Array& part = job.existing->arrays.at(path);
    const std::string document = current_document(job, path);
    if (growth_of(part, document) == Growth::kBefore)
      replace_document(job, path, document, with_shape(document, part.shape));
  }
  rebuild_consolidated(job);
}

bool has_grown(const PlannedJob& job) {
  if (!job.existing || job.options.append.empty()) return false;
  const auto& arrays = job.existing->arrays;
  return std::any_of(arrays.begin(), arrays.end(), [&](const auto& array) {
    const auto& [path, part] = array;
    const auto document =
        read_text(*job.stores.target, document_key(job, path));
    return document && growth_of(part, *document) == Growth::kAfter;
  });
}

void erase_appended(const PlannedJob& job) {
  for (const auto& [path, part] : job.existing->arrays) {
    const auto document =
        read_text(*job.stores.target, document_key(job, path));
    // Once it has grown it is somebody's data.
    if (!document || growth_of(part, *document) != Growth::kBefore) continue;
    const ArrayMetadata& target = job.target.arrays.at(path);
    const Grid objects(target.shape, target.chunks);
    Region appended = whole(objects.counts());
    if (part.kept.length > 0) appended.start[part.kept.axis] = 1;
    for_each_point(appended, [&, &path = path](const Shape& object) {
      job.stores.target->erase(
          join_key(path, chunk_key(target.key_encoding, object)));
    });
    restore_partial_objects(job, path);
  }
  rebuild_consolidated(job);  // Some may have grown.
}

std::vector<std::string> describe_existing(const PlannedJob& job) {
  std::vector<std::string> lines;
  if (!job.existing) return lines;
  for (const auto& [path, part] : job.existing->arrays) {
    const ArrayMetadata& target = job.target.arrays.at(path);
    Region region{part.start, part.start};
    for (std::size_t axis = 0; axis < part.start.size(); ++axis)
      region.stop[axis] += target.shape[axis];
    if (part.kept.length > 0) region.start[part.kept.axis] += part.kept.length;
    lines.push_back(
        fmt::format("{}{} of {}", path.empty() ? "" : path + " ",
                    region_text(region, dimension_names_of(target), part.shape),
                    to_string(part.shape)));
  }
  if (!job.existing->untouched.empty())
    lines.push_back(fmt::format("nothing of {}: they stay as they are",
                                fmt::join(job.existing->untouched, ", ")));
  if (!job.existing->only_target.empty())
    lines.push_back(fmt::format("nothing of {}: only the target has them",
                                fmt::join(job.existing->only_target, ", ")));
  return lines;
}

}  // namespace rechunk

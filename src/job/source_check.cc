#include "job/source_check.h"

#include <utility>

#include "base/array_label.h"
#include "base/text_hash.h"
#include "job/planned_job.h"
#include "rechunk/error.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/hierarchy.h"
#include "zarr/documents/keys.h"

namespace rechunk {
namespace {

// Most arrays have their first object: only others are listed.
std::string any_object(const Store& store, const std::string& path,
                       const ArrayMetadata& array) {
  const std::string first = join_key(
      path, chunk_key(array.key_encoding, Shape(array.shape.size(), 0)));
  if (has_object(store, first)) return first;
  if (!store.can_list()) return {};
  std::string object;
  store.scan(path, [&](std::string_view key, std::int64_t) {
    if (!is_document(key)) object = key;
    return object.empty();
  });
  return object;
}

[[noreturn]] void throw_gone(const Store& store, const std::string& array,
                             const std::string& key) {
  throw Error(ErrorKind::kNotFound,
              "reading " + array_label(array) +
                  ": this process does not find " + store.describe(key) +
                  ", which was there when the run was planned",
              "put the source back, or where every process sees it, or plan "
              "again");
}

}  // namespace

SourcesSeen look_at_sources(const PlannedJob& job) {
  SourcesSeen sources;
  if (!job.stores.source) return sources;
  const Store& store = *job.stores.source;
  for (const auto& [path, array] : job.source.arrays) {
    if (job.stores.array_sources.contains(path)) continue;
    SourceSeen& seen = sources[path];
    if (!job.stores.documents)
      if (const auto text =
              read_text(store, array_document_key(path, array.zarr_format)))
        seen.document = text_hash(*text);
    seen.object = any_object(store, path, array);
  }
  return sources;
}

SourceCheck::SourceCheck(const PlannedJob& job)
    : job_(job), looked_at_(job.plan.arrays.size()) {}

const SourceSeen* SourceCheck::seen(int array) const {
  const std::string& path = job_.plan.arrays[array].name;
  const auto found = job_.sources_seen.find(path);
  const bool of_a_store = found != job_.sources_seen.end() &&
                          job_.stores.source &&
                          !job_.stores.array_sources.contains(path);
  return of_a_store ? &found->second : nullptr;
}

void SourceCheck::before_task(int array) {
  if (looked_at_[array]) return;
  look_at_document(array);
  look_at_object(array);
  looked_at_[array] = true;
}

void SourceCheck::after_task(int array, const StageReport& report) const {
  if (report.skipped.objects_read == 0) return;
  const SourceSeen* source = seen(array);
  if (source && source->object.empty()) return look_at_document(array);
  look_at_object(array);
}

void SourceCheck::look_at_all() const {
  for (int array = 0; array < static_cast<int>(looked_at_.size()); ++array) {
    look_at_document(array);
    look_at_object(array);
  }
}

void SourceCheck::look_at_document(int array) const {
  const SourceSeen* source = seen(array);
  if (!source || source->document.empty()) return;
  const std::string& path = job_.plan.arrays[array].name;
  const std::string key =
      array_document_key(path, job_.source.arrays.at(path).zarr_format);
  const Store& store = *job_.stores.source;
  const auto text = read_text(store, key);
  if (!text) throw_gone(store, path, key);
  if (text_hash(*text) != source->document)
    throw Error(ErrorKind::kInvalidArgument,
                "reading " + array_label(path) + ": " + store.describe(key) +
                    " is not what it was when the run was planned",
                "put it back, or plan again");
}

void SourceCheck::look_at_object(int array) const {
  const SourceSeen* source = seen(array);
  if (!source || source->object.empty()) return;
  const Store& store = *job_.stores.source;
  if (!has_object(store, source->object))
    throw_gone(store, job_.plan.arrays[array].name, source->object);
}

}  // namespace rechunk

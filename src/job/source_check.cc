#include "job/source_check.h"

#include <numeric>
#include <utility>

#include "base/array_label.h"
#include "base/at_once.h"
#include "base/text_hash.h"
#include "job/planned_job.h"
#include "rechunk/error.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/hierarchy.h"
#include "zarr/documents/keys.h"

namespace rechunk {
namespace {

std::string first_key(const std::string& path, const ArrayMetadata& array) {
  return join_key(path,
                  chunk_key(array.key_encoding, Shape(array.shape.size(), 0)));
}

std::string listed_object(const Store& store, const std::string& path) {
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

// Most arrays have their first object: only others are listed.
SourcesSeen look_at_sources(const PlannedJob& job, const ObjectsSeen& objects) {
  SourcesSeen sources;
  if (!job.stores.source) return sources;
  const Store& store = *job.stores.source;
  std::vector<std::string> paths, keys;
  for (const auto& [path, array] : job.source.arrays) {
    if (job.stores.array_sources.contains(path)) continue;
    SourceSeen& seen = sources[path];
    if (!job.stores.documents)
      seen.document = job.source.document_hashes.at(path);
    if (const auto known = objects.find(path); known != objects.end()) {
      seen.object = known->second;
    } else {
      paths.push_back(path);
      keys.push_back(first_key(path, array));
    }
  }
  const auto found = have_objects(store, keys);
  for (std::size_t at = 0; at < keys.size(); ++at)
    sources[paths[at]].object =
        found[at] ? keys[at] : listed_object(store, paths[at]);
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

void SourceCheck::before_task(int array) const {
  if (looked_at_[array]) return;
  look_at({array}, {array});
  looked_at_[array] = true;
}

void SourceCheck::after_task(int array, const StageReport& report) const {
  if (report.skipped.objects_read == 0) return;
  const SourceSeen* source = seen(array);
  if (source && source->object.empty()) return look_at({array}, {});
  look_at({}, {array});
}

void SourceCheck::look_at_all() const {
  std::vector<int> arrays(looked_at_.size());
  std::iota(arrays.begin(), arrays.end(), 0);
  look_at(arrays, arrays);
  for (auto& looked_at : looked_at_) looked_at = true;
}

// All questions at once.
void SourceCheck::look_at(const std::vector<int>& documents,
                          const std::vector<int>& objects) const {
  if (!job_.stores.source) return;
  const Store& store = *job_.stores.source;
  std::vector<int> with_document, with_object;
  std::vector<std::string> document_keys, object_keys;
  for (const int array : documents) {
    const SourceSeen* source = seen(array);
    if (!source || source->document.empty()) continue;
    const std::string& path = job_.plan.arrays[array].name;
    with_document.push_back(array);
    document_keys.push_back(
        array_document_key(path, job_.source.arrays.at(path).zarr_format));
  }
  for (const int array : objects) {
    const SourceSeen* source = seen(array);
    if (!source || source->object.empty()) continue;
    with_object.push_back(array);
    object_keys.push_back(source->object);
  }
  std::vector<std::optional<std::string>> texts;
  std::vector<bool> found;
  at_once(store.medium().is_remote,
          {[&] { texts = read_texts(store, document_keys); },
           [&] { found = have_objects(store, object_keys); }});
  for (std::size_t at = 0; at < texts.size(); ++at)
    check_document(with_document[at], document_keys[at], texts[at]);
  for (std::size_t at = 0; at < found.size(); ++at)
    if (!found[at])
      throw_gone(store, job_.plan.arrays[with_object[at]].name,
                 object_keys[at]);
}

void SourceCheck::check_document(int array, const std::string& key,
                                 const std::optional<std::string>& text) const {
  const std::string& path = job_.plan.arrays[array].name;
  const Store& store = *job_.stores.source;
  if (!text) throw_gone(store, path, key);
  if (text_hash(*text) == seen(array)->document) return;
  throw Error(ErrorKind::kInvalidArgument,
              "reading " + array_label(path) + ": " + store.describe(key) +
                  " is not what it was when the run was planned",
              "put it back, or plan again");
}

}  // namespace rechunk

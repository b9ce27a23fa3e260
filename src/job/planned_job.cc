#include "job/planned_job.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/array_label.h"
#include "base/at_once.h"
#include "base/machine.h"
#include "base/random_number.h"
#include "job/choose_parts.h"
#include "job/partial_objects.h"
#include "job/weigh_plan.h"
#include "plan/planner.h"
#include "rechunk/error.h"
#include "request/array_problem.h"
#include "request/document_notes.h"
#include "request/media.h"
#include "request/own_places.h"
#include "request/strict.h"
#include "request/target_hierarchy.h"
#include "store/archives.h"
#include "store/place.h"
#include "verify/digest_array.h"
#include "zarr/chunks/misplaced_chunks.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/group_above.h"
#include "zarr/documents/with_layout.h"

namespace rechunk {
namespace {

std::int64_t other_bytes(const PlannedJob& job, const std::string& path) {
  if (!job.options.verify) return 0;
  return verification_bytes(job.source.arrays.at(path),
                            job.target.arrays.at(path));
}

std::vector<ArrayProblem> problems_of(const PlannedJob& job) {
  std::vector<ArrayProblem> problems;
  for (const auto& [path, array] : job.source.arrays) {
    const bool array_source = job.stores.array_sources.contains(path);
    problems.push_back(with_context(
        [&] {
          return make_problem(path, array, job.target.arrays.at(path),
                              {.other_bytes = other_bytes(job, path),
                               .array_source = array_source,
                               .kept = kept_of(job, path)});
        },
        [&] { return array_label(path); }));
    add_media(job.stores, job.options.threads, problems.back());
    if (array_source || job.stores.source) continue;
    // What reading will take is known where the source is at hand.
    ChunkTraits& source = problems.back().source;
    source.unit_scratch_bytes = source.object_scratch_bytes = 0;
    source.spare_bytes = 0;
  }
  add_page_cache(page_cache_bytes(job), problems);
  return problems;
}

}  // namespace

// Never what is free at the moment, so that plans are the same every time.
std::int64_t page_cache_bytes(const PlannedJob& job) {
  return std::max<std::int64_t>(0, memory_limit() - job.options.max_memory);
}

namespace {

// Arrays of a group may be links to elsewhere.
void check_arrays_apart(const PlannedJob& job) {
  const Places& places = job.places;
  if (places.source.empty() || places.target.empty()) return;
  for (const auto& [path, array] : job.source.arrays)
    check_apart(places.source + "/" + path, places.target);
  for (const std::string& place : job.stores.source->reads_from())
    if (lies_within(place, places.target))
      throw Error(ErrorKind::kInvalidArgument,
                  "writing " + places.target +
                      ": the source reads files that lie there, in " + place,
                  "choose another target");
}

// Their objects are found where their documents are.
void check_unread(const PlannedJob& job) {
  if (job.source_has_documents || job.source.unread.empty()) return;
  const auto& [path, array] = *job.source.unread.begin();
  throw Error(ErrorKind::kUnsupported, "array " + path + ": " + array.cause);
}

// Sources without a grid of their own are read on the target's.
void follow_target(PlannedJob& job) {
  for (const auto& [path, source] : job.stores.array_sources) {
    const auto array = job.source.arrays.find(path);
    if (array == job.source.arrays.end() || !source->any_regions()) continue;
    array->second = with_layout(
        array->second,
        {inner_chunks(job.target.arrays.at(path)), std::nullopt, std::nullopt});
  }
}

// What is known of readers before the run.
void add_notes(PlannedJob& job) {
  job.plan.notes.add(document_notes(job.source, job.target));
  for (NotRechunked& left : left_as_stored(job.source, job.options)) {
    for (StagedCopySpec& array : job.plan.arrays)
      if (array.name == left.name)
        array.reasons = {"moved as stored: rechunk cannot decode " +
                         left.cause};
    job.plan.notes.not_rechunked.push_back(std::move(left));
  }
}

// What is overwritten is built beside it, where it is a path. So is an archive,
// which is then packed.
void choose_replacement(PlannedJob& job) {
  const std::string& target = job.places.target;
  const bool archive = !target.empty() && !job.stores.target &&
                       names_zip(target) && !into_existing(job.options);
  if (!job.options.overwrite && !archive) return;
  job.made = random_number();
  if (archive || (!job.options.overwrite_in_place && !job.stores.target &&
                  !target.empty() && is_local(target)))
    job.places.replacement = replacement_place(target, job.made);
}

void note_that_old_target_is_erased(PlannedJob& job) {
  if (job.options.overwrite && !job.options.overwrite_in_place &&
      job.places.replacement.empty() && has_metadata(*job.stores.target))
    job.plan.notes.add(
        "overwrite", "",
        "this target is not a local folder: the old one is erased "
        "before the new one is written");
}

// The folder that holds it is rechunk's, too.
std::shared_ptr<Store> open_replacement(const std::string& place,
                                        const StorageOptions& options) {
  open_own_store(place_around(place), options);
  return open_own_store(place, options);
}

}  // namespace

bool waits(const PlannedJob& job) {
  const Stores& stores = job.stores;
  const std::shared_ptr<const Store> places[] = {stores.source, stores.target,
                                                 stores.temp, stores.journal};
  return std::any_of(
      std::begin(places), std::end(places),
      [](const auto& store) { return store && store->medium().is_remote; });
}

void open_stores(PlannedJob& job) {
  Stores& stores = job.stores;
  const Places& places = job.places;
  Storage& storage = stores.storage;
  storage = {.source = storage.for_source(places.source),
             .target = storage.for_target(places.target),
             .temp = storage.for_temp(places.temp)};
  if (!stores.source && !places.source.empty())
    stores.source = open_store(places.source, stores.storage.source,
                               job.options.references_below);
  OpenPlace neighbour;
  if (!stores.target && !places.replacement.empty()) {
    stores.target = open_replacement(places.replacement, storage.target);
  } else if (!stores.target && !places.target.empty()) {
    stores.target = open_store(places.target, storage.target);
    neighbour = {stores.target, places.target};
  }
  if (!stores.temp && !places.temp.empty())
    stores.temp = open_own_store(
        places.temp, storage.temp,
        storage.temp == storage.target ? neighbour : OpenPlace{});
  if (!stores.journal && !places.target.empty())
    stores.journal =
        open_own_store(journal_place(places.target), storage.target, neighbour);
}

namespace {

ObjectsSeen read_source(PlannedJob& job) {
  job.source = read_hierarchy(job.stores.documents ? *job.stores.documents
                                                   : *job.stores.source);
  check_arrays_apart(job);
  job.source_has_documents =
      !job.stores.documents && job.stores.array_sources.empty();
  check_unread(job);
  if (!job.source_has_documents) return {};
  return check_chunk_keys(*job.stores.source, job.source);
}

}  // namespace

PlannedJob plan_job(const Places& places, const Stores& stores,
                    const Options& options) {
  if (options.durable && places.target.empty())
    throw Error(ErrorKind::kUnsupported,
                option("durable") +
                    ": the target is no path whose disk could be synced");
  PlannedJob job;
  job.options = with_defaults(options);
  for (std::string& place : job.options.references_below)
    place = absolute_place(place);
  job.places = places;
  job.stores = stores;
  choose_replacement(job);
  open_stores(job);
  ObjectsSeen objects;
  int format_above_target = 0;
  at_once(waits(job), {[&] { objects = read_source(job); },
                       [&] {
                         if (job.stores.target && !into_existing(job.options))
                           format_above_target =
                               format_above(*job.stores.target);
                       }});
  if (into_existing(job.options)) {
    choose_parts(job);
  } else {
    if (job.stores.target)
      job.options.zarr_format = format_for(
          *job.stores.target, job.options.zarr_format, format_above_target);
    job.target = make_target_hierarchy(job.source, job.options);
  }
  if (job.existing) {
    place_parts(job);
    for (auto& [path, part] : job.existing->arrays)
      part.marks = partial_marks(job, path);
  }
  follow_target(job);
  job.sources_seen = look_at_sources(job, objects);
  auto problems = problems_of(job);
  weigh_plan(job, problems);
  rechunk::validate(job.plan, problems);
  if (!job.existing) add_notes(job);
  if (job.existing)
    for (const std::string& path : job.existing->not_compared)
      job.plan.notes.add("not_compared", path,
                         "not compared with the target's, too large or of a "
                         "kind that rechunk cannot decode");
  note_that_old_target_is_erased(job);
  job.plan.notes.add(job.options.notes);
  refuse_notes(job.options, job.plan.notes);
  return job;
}

MemoryBudget process_budget(const PlannedJob& job) {
  return MemoryBudget(job.options.max_memory);
}

void use_threads(PlannedJob& job, int threads) {
  // Some stages of a plan may have fewer tasks at a time than it has threads.
  const std::int64_t fitting = std::max<std::int64_t>(
      job.plan.threads,
      job.plan.max_memory /
          std::max<std::int64_t>(1, largest_task_bytes(job.plan)));
  job.plan.threads =
      static_cast<int>(std::clamp<std::int64_t>(threads, 1, fitting));
  job.options.threads = job.plan.threads;
}

void validate(const PlannedJob& job) {
  rechunk::validate(job.plan, problems_of(job));
}

}  // namespace rechunk

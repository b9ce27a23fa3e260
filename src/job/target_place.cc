#include "job/target_place.h"

#include <array>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/at_once.h"
#include "base/retry.h"
#include "job/archive_target.h"
#include "job/foreign_files.h"
#include "job/replacement.h"
#include "journal/journal.h"
#include "rechunk/array_source.h"
#include "rechunk/error.h"
#include "request/own_places.h"
#include "store/place.h"
#include "zarr/documents/group_above.h"

namespace rechunk {
namespace {

// Journal and temporary data of a target that is a whole store lie within it.
constexpr std::string_view kOwnPrefix = ".rechunk";

bool is_empty(const Store& store) {
  bool empty = true;
  store.scan("", [&](std::string_view key, std::int64_t) {
    return empty = key.starts_with(kOwnPrefix);
  });
  return empty;
}

bool has_objects(const Store& store) {
  bool has_any = false;
  store.scan("", [&](std::string_view, std::int64_t) {
    has_any = true;
    return false;
  });
  return has_any;
}

void erase_all(Store& store) { erase_hierarchy(store, true); }

// Where something was overwritten in place, files that are no Zarr stay.
void erase_target(const PlannedJob& job) {
  if (replaces(job)) return erase_replacement(job);
  if (job.options.overwrite)
    erase_zarr(*job.stores.target, job.target, kOwnPrefix);
  else
    erase_hierarchy(*job.stores.target, true, kOwnPrefix);
}

bool holds_documents(const PlannedJob& job) {
  const auto documents = make_memory_store();
  write_hierarchy(*documents, job.target);
  const std::vector<std::string> keys = keys_below(*documents, "");
  return read_texts(*job.stores.target, keys) == read_texts(*documents, keys);
}

// If it fails, no document is left: but those of a target that existed are, and
// those of a team, in which another process may be writing the same.
void write_documents(const PlannedJob& job, bool in_team) {
  Store& target = *job.stores.target;
  if (job.existing) {
    if (!job.options.append.empty()) retrying([&] { grow_arrays(job); });
    return;
  }
  try {
    retrying([&] { write_hierarchy(target, job.target); });
    if (job.options.verify && !holds_documents(job))
      throw Error(ErrorKind::kCorrupt, "verifying the metadata of " +
                                           target.describe("") +
                                           ": it is not what was written");
  } catch (const Error&) {
    if (in_team && holds_documents(job)) return;  // Another wrote them, too.
    if (in_team) throw;
    try {
      erase_hierarchy(target, false, kOwnPrefix);
    } catch (const Error&) {
      // The error that brought us here matters more.
    }
    throw;
  }
}

void refuse_if_committed(const PlannedJob& job) {
  if (!journal_tells_the_end(job) || !is_committed(job)) return;
  throw Error(ErrorKind::kInvalidArgument,
              "the target " + visible_target(job)->describe("") +
                  " is what this plan makes of it",
              "plan again to do the same again");
}

/// What is at a target, and what its journal says.
struct Occupant {
  bool exists = false, empty = false, unfinished = false, room_made = false;
};

Occupant occupant_of(const PlannedJob& job, const Store& target) {
  Occupant occupant;
  const std::shared_ptr<const Store> journal = job.stores.journal;
  at_once(waits(job),
          {[&] { occupant.exists = has_metadata(target); },
           [&] { occupant.empty = !job.existing && is_empty(target); },
           [&] {
             occupant.unfinished =
                 journal && running_plan_hash(*journal).has_value();
           },
           [&] { occupant.room_made = journal && room_was_made(*journal); }});
  return occupant;
}

// What is at the target may be overwritten, or nothing is there.
void check_occupant(const PlannedJob& job) {
  const auto visible = visible_target(job);
  const Store& target = *visible;
  const std::string place = target.describe("");
  const auto [exists, empty, unfinished, room_made] = occupant_of(job, target);
  const bool may_overwrite = job.options.overwrite && job.may_begin_anew;
  if (exists && unfinished && (job.existing || !may_overwrite))
    throw Error(ErrorKind::kInvalidArgument,
                "the target " + place + " has an unfinished run",
                action("resume", place) + " ends it, " +
                    action("discard", place) + " drops it");
  if (job.existing) return check_existing(job, false);
  if (!exists && !(unfinished && room_made) && empty) return;
  const bool plan_was_lost = !unfinished && room_made;
  if (!exists && !unfinished && !plan_was_lost)
    throw Error(
        ErrorKind::kInvalidArgument,
        "the target " + place + " is not empty, and is no Zarr array or group",
        "choose another target; rechunk removes nothing but Zarr data");
  if (!may_overwrite)
    throw Error(ErrorKind::kInvalidArgument,
                "the target " + place +
                    (exists && !unfinished ? " exists"
                                           : " is left from an unfinished run"),
                unfinished ? action("resume", place) + " continues it, " +
                                 option_on("overwrite") + " begins anew"
                : exists ? option_on("overwrite") + " replaces it"
                         : "the run's plan is lost; " + option_on("overwrite") +
                               " begins anew");
}

// Only what an unfinished run left is there, or what is no Zarr.
void erase_unfinished(Store& target, const PlannedJob& job) {
  if (!has_metadata(target)) erase_zarr(target, job.target, kOwnPrefix);
}

}  // namespace

std::shared_ptr<Store> visible_target(const PlannedJob& job) {
  return replaces(job)
             ? open_store(job.places.target, job.stores.storage.target)
             : job.stores.target;
}

bool journal_tells_the_end(const PlannedJob& job) {
  return job.existing || job.options.overwrite || packs(job);
}

void check_target(const PlannedJob& job) {
  refuse_if_committed(job);
  check_occupant(job);
  if (replaces(job))
    check_replacement(job);
  else if (job.options.overwrite && has_metadata(*job.stores.target))
    check_out_of_the_way(foreign_files(*job.stores.target), job.target,
                         job.stores.target->describe(""));
}

void make_room(const PlannedJob& job) {
  bool has_target = false, has_temp = false;
  at_once(
      waits(job),
      {[&] { remove_leftovers(job); },
       [&] {
         has_target =
             !job.existing && !replaces(job) && !is_empty(*job.stores.target);
       },
       [&] { has_temp = job.stores.temp && has_objects(*job.stores.temp); }});
  if (job.stores.temp)
    check_free_space(
        *job.stores.temp, job.plan.temp_bytes, "temporary data",
        option("temp") + " puts it elsewhere; more memory may need none");
  if (replaces(job)) {
    if (!packs(job)) erase_unfinished(*visible_target(job), job);
    begin_replacement(job);
  } else if (!job.existing) {
    if (has_target) erase_target(job);
    // Else their readers would find fill values there.
    if (job.options.overwrite) consolidate_above(*job.stores.target);
  }
  if (has_temp) erase_all(*job.stores.temp);  // Of a killed run.
}

void remove_leftovers(const PlannedJob& job, Writers writers) {
  std::vector<std::function<void()>> removals;
  for (Store* store : {job.stores.temp.get(), job.stores.target.get(),
                       job.stores.journal.get()})
    if (store != nullptr)
      removals.emplace_back([=] { store->remove_unfinished(writers); });
  at_once(waits(job), removals);
}

void erase_temp_of(const std::string& plan_file,
                   const StorageOptions& storage) {
  const auto json = nlohmann::json::parse(plan_file, nullptr, false);
  const auto url = json.is_object() ? json.find("temp") : json.end();
  if (!json.is_object() || url == json.end() || !url->is_object()) return;
  const auto text = url->find("url");
  if (text == url->end() || !text->is_string()) return;
  const std::string place = text->get<std::string>();
  if (place.empty() || !is_temp_place(place)) return;
  const auto store = open_own_store(place, storage);
  erase_all(*store);
  store->remove_unfinished(Writers::kNobody);
}

void make_durable(const PlannedJob& job) {
  if (!job.options.durable) return;
  const Stores& stores = job.stores;
  for (const auto& store : {stores.target, stores.temp, stores.journal})
    if (store) store->sync();
}

bool target_explains_itself(const PlannedJob& job) {
  const auto target = visible_target(job);
  return has_metadata(*target) || is_empty(*target);
}

// 1. What tasks wrote is synced first: a document must not outlive its chunks.
// 2. The documents are written, the root last. Until then no reader finds a
//    target. With `verify` they are read again.
// 3. A new tree changes places with the old one. The record `exchanging` lets
//    whoever resumes go on from here, without 2.
// 4. Groups above that have consolidated metadata learn of the target.
void commit_metadata(const PlannedJob& job,
                     const std::function<void()>& check_lock) {
  make_durable(job);
  if (!exchange_has_begun(job)) write_documents(job, !check_lock);
  make_durable(job);
  if (replaces(job)) replace_target(job, check_lock);
  const auto visible = visible_target(job);
  if (!job.existing && !packs(job))
    with_context([&] { consolidate_above(*visible); },
                 [&] { return visible->describe("") + " is complete"; });
  make_durable(job);
}

std::vector<std::string> leftovers(const PlannedJob& job) {
  const Stores& stores = job.stores;
  const std::shared_ptr<const Store> own[] = {
      job.options.keep_temp ? nullptr : stores.temp, stores.journal,
      replaces(job) ? stores.target : nullptr};
  std::array<bool, std::size(own)> is_left{};
  std::vector<std::function<void()>> looks;
  for (std::size_t at = 0; at < std::size(own); ++at)
    looks.emplace_back(
        [&, at] { is_left[at] = own[at] && !is_empty(*own[at]); });
  at_once(waits(job), looks);
  std::vector<std::string> places;
  for (std::size_t at = 0; at < std::size(own); ++at)
    if (is_left[at]) places.push_back(own[at]->describe(""));
  return places;
}

bool is_committed(const PlannedJob& job) {
  if (!journal_tells_the_end(job)) return holds_documents(job);
  if (!job.stores.journal) return false;
  return committed_plan_hash(*job.stores.journal) == job.hash ||
         (replaces(job) && is_replaced(job));
}

// 1. Temporary data: nothing tells whose it is but the plan in the journal.
// 2. The target, if it is to go; or what is left of the old one.
// 3. The journal, if 2 succeeded. Its plan goes first, and with it the run.
// Each is tried several times: a failure here has no one to tell.
void clean_up(const PlannedJob& job, bool target_too) noexcept {
  constexpr int kAttempts = 4;
  const auto attempt = [](auto&& action) {
    for (int attempts = 0; attempts < kAttempts; ++attempts) {
      try {
        retrying(action);
        return true;
      } catch (const std::exception&) {
        // The error that brought us here matters more; see `leftovers`.
      }
    }
    return false;
  };
  const Stores& stores = job.stores;
  if (stores.temp && !job.options.keep_temp && job.plan.temp_objects > 0)
    attempt([&] { erase_all(*stores.temp); });
  const bool erased = !(target_too || replaces(job)) || attempt([&] {
    if (!job.existing) return erase_target(job);
    if (!job.options.append.empty()) erase_appended(job);
  });
  // Groups above may have named it, or may do so if the run was ending.
  if (target_too && !job.existing && !replaces(job))
    attempt([&] { consolidate_above(*stores.target); });
  if (stores.journal && erased)
    attempt([&] { Journal(stores.journal, job.hash).erase(); });
}

}  // namespace rechunk

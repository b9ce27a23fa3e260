// A job after planning: everything that a process of its run knows.
#pragma once

#include <optional>
#include <string>

#include "base/memory_budget.h"
#include "job/existing_target.h"
#include "job/source_check.h"
#include "rechunk/array_source.h"
#include "rechunk/notes.h"
#include "rechunk/options.h"
#include "rechunk/plan.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// The URLs of a job's stores; "" for stores that the caller passed.
struct Places {
  std::string source, target, temp;
  /// If a target is overwritten, or is an archive: the place of its new tree
  /// (replacement.h). "" if the run writes to the target itself.
  std::string replacement;
};

struct PlannedJob {
  Options options;
  Stores stores;
  Places places;
  /// Source and target of the copy. If the target exists, the parts.
  Hierarchy source, target;
  std::optional<ExistingTarget> existing;
  /// False if the source's documents are not in its own store.
  bool source_has_documents = true;
  SourcesSeen sources_seen;     ///< What planning saw of the source's objects.
  bool check_contents = false;  ///< When the run is resumed.
  bool may_begin_anew = true;   ///< False for runs that are resumed by name.
  /// A random number, if the same work may have made the target before: to
  /// overwrite it again is another run.
  std::string made;
  Plan plan;
  std::string text;  ///< The plan file.
  std::string hash;  ///< plan_hash in it.
};

/// True if one of its places is on another machine: then questions that do not
/// need each other are asked at once.
bool waits(const PlannedJob& job);

/// Opens the stores that are named by URL and missing in `stores`.
void open_stores(PlannedJob& job);

/// Reads the source and plans. Throws: as Job.
PlannedJob plan_job(const Places& places, const Stores& stores,
                    const Options& options);

/// The budget of this process: the bytes that all its threads together may hold
/// for the job. Each phase has one (planning, resuming, tasks, verification and
/// files), because a phase begins when the one before has given back its
/// memory.
MemoryBudget process_budget(const PlannedJob& job);

/// What the page cache can hold beside the budget: the memory of the machine,
/// or of its cgroup, is for both.
std::int64_t page_cache_bytes(const PlannedJob& job);

/// Changes the number of threads, as far as the memory allows.
void use_threads(PlannedJob& job, int threads);

/// Throws: internal if the plan does not fit the hierarchies.
void validate(const PlannedJob& job);

}  // namespace rechunk

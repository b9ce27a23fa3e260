// A job after planning: what every process that takes part in it knows.
#pragma once

#include <optional>
#include <string>

#include "job/existing_target.h"
#include "job/source_check.h"
#include "rechunk/rechunk.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// Where the stores of a job lie; "" for stores that were injected.
struct Places {
  std::string source, target, temp;
  /// Where the new tree of a target is built that is overwritten
  /// (replacement.h); "" where the target itself is written.
  std::string replacement;
};

struct PlannedJob {
  Options options;
  Stores stores;
  Places places;
  /// What is copied, and to what; parts where the target exists.
  Hierarchy source, target;
  std::optional<ExistingTarget> existing;
  /// False where the source's documents were made, or came from elsewhere.
  bool source_has_documents = true;
  SourcesSeen sources_seen;     ///< What planning saw of the source's objects.
  bool check_contents = false;  ///< When the run goes on.
  bool may_begin_anew = true;   ///< False for runs that are resumed by name.
  /// A random number, where the target may be what the same work made of it
  /// before: to overwrite it again is another run.
  std::string made;
  Plan plan;
  std::string text;  ///< The plan file.
  std::string hash;  ///< plan_hash in it.
};

/// Opens the stores that places name and `stores` does not hold.
void open_stores(PlannedJob& job);

/// Reads the source and plans. Throws: as Job.
PlannedJob plan_job(const Places& places, const Stores& stores,
                    const Options& options);

/// Runs it on another number of threads than planned, as far as the memory
/// allows.
void use_threads(PlannedJob& job, int threads);

/// Throws: internal if the plan does not fit the hierarchies.
void validate(const PlannedJob& job);

}  // namespace rechunk

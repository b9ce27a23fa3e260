// Files of a source that are not Zarr: tables, sidecars and documents of other
// formats, beside its arrays and groups.
#pragma once

#include <future>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_budget.h"
#include "job/planned_job.h"
#include "rechunk/report.h"

namespace rechunk {

/// True if a key of a store belongs to no array and no group of the hierarchy.
/// It is not a metadata document, its name is not that of a chunk, and no run
/// of rechunk made it for itself.
bool is_file(const Hierarchy& hierarchy, std::string_view key);

/// The files of a job's source. There are none if the target existed before, if
/// the source's documents are elsewhere, or with `without_files`. Objects of
/// unread arrays are always among them. Used by one thread.
class SourceFiles {
 public:
  /// `job` must outlive it. A source on another machine is listed from now on,
  /// while tasks run: it may have as many keys as the array has chunks.
  explicit SourceFiles(const PlannedJob& job);
  ~SourceFiles();
  SourceFiles(const SourceFiles&) = delete;
  SourceFiles& operator=(const SourceFiles&) = delete;

  /// Copies them to the same keys of the target, in blocks of at most a MiB
  /// from `budget`; with `verify` reads them again. If a file cannot be read,
  /// this is noted. Objects of unread arrays are not reported as files. Once.
  /// Throws: io, corrupt (a file changed meanwhile), invalid_argument (the
  /// source is not what it was when the run was planned).
  void copy(MemoryBudget& budget, Report& report);

 private:
  std::vector<std::string> find() const;

  const PlannedJob& job_;
  std::stop_source stop_;
  std::future<std::vector<std::string>> keys_;
};

}  // namespace rechunk

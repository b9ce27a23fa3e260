// The entry points of rechunk: plan a job, run it, verify, inspect.
//
//   Options options;
//   options.chunks = "time=all,lat=10,lon=10";
//   Job job("by-hour.zarr", "by-place.zarr", options);
//   std::cout << to_json(job.plan());
//   Report report = job.run();
//
// Parts: src/rechunk.cc (Job), src/job/info.cc, paper.cc, report_json.cc,
// src/verify/verify.cc.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "rechunk/error.h"
#include "rechunk/executor.h"
#include "rechunk/observer.h"
#include "rechunk/options.h"
#include "rechunk/plan.h"
#include "rechunk/store.h"

namespace rechunk {

/// The work of a run on one array, by stage as in the plan. All processes of
/// the run count, also those before it was resumed.
struct ArrayReport {
  std::vector<StageReport> stages;
  std::string digest;  ///< 32 hex digits, if the run has verified.
  /// By stage, the tasks that were done before the run was resumed. Empty if it
  /// was not resumed.
  std::vector<std::int64_t> found_tasks;
};
/// Files that are not Zarr, beside arrays and groups.
struct Files {
  std::int64_t copied = 0;
  std::int64_t bytes = 0;
};
struct Report {
  std::vector<ArrayReport> arrays;  ///< In the plan's order.
  Notes notes;                      ///< Found by the run, without the plan's.
  Files files;
  double seconds = 0;
  std::int64_t max_rss = 0;  ///< Peak resident bytes of the process.
};

/// The plan's JSON with the counts of each stage, all notes, `files`,
/// `seconds` and `max_rss`. The keys are a contract (README).
std::string to_json(const Plan& plan, const Report& report,
                    const Speller& speller = {});
std::string to_json(const StageReport& report);

/// An array that is not in a Zarr store. The caller reads its elements.
/// May be called from any thread.
class ArraySource {
 public:
  virtual ~ArraySource() = default;
  /// Fills `destination` with the elements of `region` in C order, in the type
  /// and byte order of the array's metadata document.
  virtual void read(const Region& region,
                    std::span<std::byte> destination) const = 0;
  /// True if the shape of a region does not matter for the cost. Then regions
  /// of the target's chunks are read, and the document's grid is not used.
  virtual bool any_regions() const { return false; }
};

/// The places of a job, if URLs do not name them.
struct Stores {
  std::shared_ptr<Store> source;     ///< Metadata documents, and chunks.
  std::shared_ptr<Store> documents;  ///< Documents of the source, if elsewhere.
  std::shared_ptr<Store> target;
  std::shared_ptr<Store> temp;     ///< For this run alone: it may be emptied.
  std::shared_ptr<Store> journal;  ///< Null: only `run` works.
  /// By path in the source; used instead of chunks there.
  std::map<std::string, std::shared_ptr<const ArraySource>> array_sources;
};

struct Status;

/// One rechunk from a source to a target. The constructor plans it. Nothing is
/// written before `run`, or before a `Run` of the job begins (run.h). A process
/// that takes part in another process's run loads the same job from its plan
/// file.
class Job {
 public:
  /// `source` and `target` are URLs, or "" if `stores` has the place. A place
  /// in `stores` replaces the URL. Throws: not_found, corrupt, unsupported,
  /// invalid_argument, budget_exceeded.
  Job(const std::string& source, const std::string& target,
      const Options& options, const Stores& stores = {});
  ~Job();
  Job(Job&&) noexcept;
  Job& operator=(Job&&) noexcept;

  const Plan& plan() const;

  /// True if the job writes into a part of a target that exists.
  bool into_existing() const;
  /// The parts that are written: a line per array, for people.
  std::vector<std::string> parts() const;

  /// Throws: invalid_argument if something is at the target that the options
  /// do not allow to replace.
  void check_target() const;

  /// The plan file: JSON with the keys of `to_json(plan)` and everything that
  /// other processes must know. `load` opens the stores that it names by URL,
  /// unless `stores` has them. Throws (load): corrupt.
  const std::string& save() const;
  static Job load(const std::string& plan_file, const Stores& stores = {});

  /// The job whose run at `target` is unfinished. It uses `threads` threads (0:
  /// as planned). With `check_contents`, finished objects are first re-read and
  /// compared with the journal; those that differ are written again.
  /// Throws: not_found (there is none), corrupt, invalid_argument.
  static Job unfinished(const std::string& target, int threads = 0,
                        bool check_contents = false);

  /// Copies everything on threads of this process, then commits the target's
  /// metadata. If there is an unfinished run of the same plan, a job that was
  /// loaded resumes it; a job that was just planned refuses, or replaces it.
  /// After a failure or a cancellation, finished tasks stay, so that another
  /// process can resume the run. If there are none, everything is removed.
  /// Throws: io, corrupt, cancelled, invalid_argument (the target exists, or a
  /// process is at work there).
  Report run(Observer* observer = nullptr, std::stop_token stop = {});

  /// Makes the job resume its own unfinished run, as a loaded job does. If
  /// another unfinished run at the target does the same work within this job's
  /// memory, the job becomes that one, and the result is true. Call it before
  /// any run of the job.
  bool adopt_unfinished();

  /// Progress of the run of this job, or of another run at its target.
  Status status() const;
  /// After a successful run: places beside the target that could not be
  /// emptied. Throws: io.
  std::vector<std::string> leftovers() const;
  /// Removes everything that a run of this job wrote, finished or not. From a
  /// target that existed, removes only appended elements. A target that was to
  /// be replaced stays as it is.
  /// Throws: invalid_argument if a process is at work on it, or the new target
  /// has already taken the old one's place, or some of the arrays of a group
  /// have grown and others have not.
  void discard();

 private:
  friend class Run;
  struct State;
  explicit Job(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

inline Job Executor::share(const std::function<Job()>& plan) { return plan(); }

/// The progress of a target's run.
struct Status {
  enum class State {
    kAbsent,    ///< Neither a target nor a run.
    kComplete,  ///< A finished target, made by rechunk or not.
    kRunning,
    kStopped,  ///< Unfinished: `Job::unfinished` resumes it.
  };
  struct Array {
    std::string name;
    std::vector<std::int64_t> tasks_done, tasks;  ///< By stage.
  };
  State state = State::kAbsent;
  Progress progress;  ///< Without seconds.
  std::vector<Array> arrays;
  /// Who works on it, or was the last who did. Empty if not known.
  std::string host, user;
  std::int64_t pid = 0;
  std::int64_t since = 0;  ///< Seconds since 1970.
};
std::string_view to_string(Status::State state);
std::string to_json(const Status& status);

/// Cleans up at a target after a process was killed while it began or ended a
/// run. True if the target is complete. False if a run is unfinished, or
/// nothing is there.
bool tidy_up(const std::string& target);

/// Throws: corrupt, io.
Status status(const std::string& target);

/// An array that does not have to exist, for planning only.
struct PaperArray {
  Shape shape;
  std::string dtype;                   ///< numpy typestr, "f4" or "<f4".
  Shape source_chunks, source_shards;  ///< Shards may be empty.
};
Plan plan_on_paper(const PaperArray& array, const Options& options);

/// Compares only some regions, which is faster.
struct Sample {
  std::int64_t regions = 0;  ///< Random regions of each array; 0: everything.
  std::uint64_t seed = 0;
};

/// The result of comparing two arrays or groups.
struct Comparison {
  /// A box of some chunks of the first array in which elements differ.
  struct Difference {
    Shape start, stop;
    std::int64_t elements = 0;     ///< How many differ.
    Shape first;                   ///< The first of them, and its two values:
    std::string value_a, value_b;  ///< JSON, or bytes in hex.
  };
  struct Array {
    std::string name;
    std::string digest_a, digest_b;  ///< 32 hex digits; "" for a sample.
    bool equal = false;              ///< For a sample: no difference was found.
    bool compared = true;            ///< False if it cannot be decoded.
    std::string difference;  ///< Why not equal: shape, type, first element, ...
    /// The first sixteen regions that differ, and how many there are.
    std::vector<Difference> differences;
    std::int64_t different_regions = 0;
    std::int64_t different_elements = 0;  ///< At least those in `differences`.
    std::int64_t regions = 0, compared_regions = 0;  ///< 0: not compared.
    std::int64_t compared_elements = 0;
  };
  std::vector<Array> arrays;
  bool equal = false;
};

/// Compares the elements of two arrays, or of all arrays of two groups. Chunks,
/// codecs, byte order and format may differ. Reads each array once, and regions
/// that differ again. Of the options only `max_memory` and `threads` are used.
Comparison verify(const std::string& a, const std::string& b,
                  const Options& options = {}, const Sample& sample = {},
                  Observer* observer = nullptr, std::stop_token stop = {});

/// A description of the arrays and groups below a URL.
struct ArrayInfo {
  std::string name;
  int zarr_format = 3;
  Shape shape;
  std::string dtype;
  Shape chunks, shards;    ///< Shards may be empty.
  std::string codecs;      ///< Short text: "blosc(lz4, 5, shuffle)".
  std::string fill_value;  ///< JSON text.
  std::vector<std::string> dimension_names;  ///< Empty if unnamed.
  std::int64_t bytes = 0;         ///< Uncompressed; 0 if the size is not fixed.
  std::int64_t objects = 0;       ///< Chunks or shards that exist.
  std::int64_t stored_bytes = 0;  ///< Size of these objects.
  /// "", or why rechunk cannot find the array's chunks. Then only the name, the
  /// format and the objects are known.
  std::string cause;
};
std::vector<ArrayInfo> info(const std::string& url);

}  // namespace rechunk

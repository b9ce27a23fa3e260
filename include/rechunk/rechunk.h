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
#include "rechunk/plan.h"
#include "rechunk/store.h"

namespace rechunk {

struct Options {
  // What the target looks like.
  /// Chunks of all arrays: "2000,10,10", "time=all,lat=10", "auto:100MB"; ""
  /// keeps the source's. Grammar: src/plan/chunk_spec.h. Arrays of a group that
  /// cannot be decoded are moved as they are.
  std::string chunks;
  /// The same for single arrays, by path; wins over `chunks`.
  std::vector<std::pair<std::string, std::string>> array_chunks;
  /// The same as one text, "NAME:CHUNKS" or "NAME:CODEC": the longest NAME
  /// before a colon that is an array counts.
  std::vector<std::string> array_chunk_words, array_codec_words;
  /// Shards, same grammar; "none" removes them; "" keeps the source's, rounded
  /// up to multiples of the chunks.
  std::string shards;
  /// Bytes -> bytes codecs: JSON, or short like "zstd:3", "blosc:lz4:5",
  /// "none";
  /// "" keeps the source's.
  std::string codec;
  /// Shards and codecs of single arrays, by path; win over the others.
  std::vector<std::pair<std::string, std::string>> array_shards, array_codecs;
  int zarr_format = 0;  ///< 2 or 3; 0 keeps the source's.
  /// NaN and Infinity in attributes, which are no JSON, become strings. Else
  /// they stay as they are.
  bool nan_attributes_as_text = false;
  std::optional<bool> consolidate;  ///< Nothing: as the source has it.
  bool write_empty_chunks = false;  ///< Write chunks that hold only fill too.

  // Instead of that: a target that exists, and keeps its layout.
  /// The part of it that is written, on boundaries of its objects:
  /// "time=0:8760,lat=90:"; dimensions not named are whole; "all": everything.
  std::string region;
  /// The dimension along which the source is put behind what is there.
  std::string append;

  // What it may take.
  std::int64_t max_memory = 0;  ///< Payload bytes; 0: half of what there is.
  int threads = 0;              ///< 0: one per core.
  std::string temp;             ///< URL; "": a hidden sibling of the target.
  /// Measure on some of the source's chunks what its codecs cost, before the
  /// plan is made; the same job may then be planned otherwise another time.
  bool calibrate = false;

  // How it is done.
  /// Replace a target that exists. The old one stays until the new one is
  /// complete, where the target is a local path; other stores are erased first.
  bool overwrite = false;
  /// The same, but the old one is erased first everywhere: for links, mount
  /// points and disks without room for both.
  bool overwrite_in_place = false;
  bool verify = false;  ///< Decode the target again and compare digests.
  /// A job with notes fails: when it is planned, or before its target is
  /// visible, if it finds something to note only then.
  bool strict = false;
  /// What the caller has to say of the source; becomes part of the plan's.
  Notes notes;
  /// Leave out files of the source that are no Zarr, instead of copying them.
  bool without_files = false;
  /// Tells apart jobs whose stores have no URL; becomes part of the plan file.
  std::string token;
  bool keep_temp = false;  ///< Leave intermediates behind, for inspection.
  /// Sync to the disk what tasks wrote before the journal says that they are
  /// done, and everything before the run ends. Needs places that are paths.
  bool durable = false;
};

/// What a run did, per array and stage as in the plan: all processes that took
/// part in it, also those before it was resumed.
struct ArrayReport {
  std::vector<StageReport> stages;
  std::string digest;  ///< Set where the run verified: 32 hex digits.
  /// By stage, what was done before the run was resumed; empty if it was not.
  std::vector<std::int64_t> found_tasks;
};
/// Files beside arrays and groups that are no Zarr.
struct Files {
  std::int64_t copied = 0;
  std::int64_t bytes = 0;
};
struct Report {
  std::vector<ArrayReport> arrays;  ///< In the plan's order.
  Notes notes;                      ///< Found by the run, beside the plan's.
  Files files;
  double seconds = 0;
  std::int64_t max_rss = 0;  ///< Peak resident bytes of the process.
};

/// The plan's JSON with what was counted in each stage, all notes, `files`,
/// `seconds` and `max_rss`; the keys are a contract (README).
std::string to_json(const Plan& plan, const Report& report);
std::string to_json(const StageReport& report);

/// Elements that lie in no Zarr store, read through the caller.
/// May be called from any thread.
class ArraySource {
 public:
  virtual ~ArraySource() = default;
  /// Fills `destination` with the elements of `region` in C order, in the type
  /// and byte order that the array's metadata document says.
  virtual void read(const Region& region,
                    std::span<std::byte> destination) const = 0;
  /// True if regions of any shape cost the same for their size: then they are
  /// read as the target's chunks, and the document's grid does not matter.
  virtual bool any_regions() const { return false; }
};

/// The places of a job, where URLs do not name them.
struct Stores {
  std::shared_ptr<Store> source;     ///< Metadata documents, and chunks.
  std::shared_ptr<Store> documents;  ///< Documents of the source, if elsewhere.
  std::shared_ptr<Store> target;
  std::shared_ptr<Store> temp;     ///< Its own place: the run may empty it.
  std::shared_ptr<Store> journal;  ///< Null: nothing but `run` works.
  /// By path in the source; instead of chunks there.
  std::map<std::string, std::shared_ptr<const ArraySource>> array_sources;
};

/// One rechunk from a source to a target: planned when constructed, nothing
/// written before `prepare` or `run`. A process that takes part in a run made
/// elsewhere loads the same job from its plan file.
struct Status;

class Job {
 public:
  /// `source` and `target` are URLs, or "" where `stores` has the place; what
  /// stands in `stores` wins.
  /// Throws: not_found, corrupt, unsupported, invalid_argument,
  /// budget_exceeded.
  Job(const std::string& source, const std::string& target,
      const Options& options, const Stores& stores = {});
  ~Job();
  Job(Job&&) noexcept;

  const Plan& plan() const;

  /// True if the target exists, and stays where the run fails.
  bool into_existing() const;
  /// The parts of it that are written: a line per array, for people.
  std::vector<std::string> parts() const;

  /// Throws: invalid_argument if something stands at the target that the
  /// options do not allow to replace.
  void check_target() const;

  /// The plan file: JSON with the keys of `to_json(plan)` and all that other
  /// processes must know. `load` opens the stores that it names by URL; those
  /// given in `stores` win. Throws (load): corrupt.
  const std::string& save() const;
  static Job load(const std::string& plan_file, const Stores& stores = {});

  /// The job whose run at `target` was left unfinished. It runs on `threads`
  /// threads (0: as planned). `check_contents`: what was written is read again
  /// before the run goes on, and what is not as it was is done again.
  /// Throws: not_found (there is none), corrupt, invalid_argument.
  static Job unfinished(const std::string& target, int threads = 0,
                        bool check_contents = false);

  /// Copies everything on threads of this process, then commits the target's
  /// metadata. A job that was loaded goes on with an unfinished run of its
  /// plan; one that was planned refuses that, or replaces it. On failure and on
  /// cancellation the tasks that are done stay done, for another process to go
  /// on; where there are none everything is removed.
  /// Throws: io, corrupt, cancelled, invalid_argument (the target exists, or a
  /// process is at work there).
  Report run(Observer* observer = nullptr, std::stop_token stop = {});

  /// Leads a run whose tasks go through the methods below: nobody else may
  /// begin or resume it until it is committed, or this process leaves it.
  /// Begins it or goes on with it, as `run` does.
  /// Throws: as run.
  void lead();
  /// Ends leading a run that failed. False where nothing was done, and so
  /// nothing is kept.
  bool leave() noexcept;
  /// Ends leading a run, finished or not. Keeps everything where a process has
  /// begun to work, since others may be working on.
  void step_down();
  /// For a catch block: leaves the run and throws what was caught, with a hint
  /// how to go on.
  [[noreturn]] void fail();

  // What executors call, in the order of steps_of(plan()). Each of these may
  // be repeated and may be called by any thread of any process that has
  // loaded the job; together they hold at most plan().max_memory per process.

  /// Makes room at the target and opens the journal; joins a run of the same
  /// plan that has begun. Throws: invalid_argument (the target exists).
  void prepare();
  /// Runs tasks [first, stop) of a stage, unless the journal has them. The
  /// report is empty then.
  StageReport run_tasks(int array, int stage, std::int64_t first,
                        std::int64_t stop);
  /// Runs copy steps, or parts of them, that need not wait for each other, and
  /// journals them as one: for small tasks of many arrays. Their `after` does
  /// not matter.
  void run_together(std::span<const Step> copies);
  /// Erases what these tasks wrote into an intermediate.
  void release(int array, int stage, std::int64_t first, std::int64_t stop);
  /// For callers that move elements by other means than `run_tasks`: writes an
  /// object of an array that grows (`Options::append`), or removes it. The
  /// journal knows the last objects before they change, as those of tasks.
  /// `key`: in the target. Throws: invalid_argument (the run has ended, or
  /// somebody else changed the object).
  void publish(int array, const std::string& key,
               std::optional<std::span<const std::byte>> object);
  /// Verifies, where asked for, and makes the target visible.
  /// `by_journal`: false where the caller moved the elements by other means
  /// than `run_tasks`, and answers for it that nothing is missing.
  /// Throws: invalid_argument (names tasks that the journal lacks), corrupt.
  Report commit(bool by_journal = true);
  /// True if the journal has all tasks, so that `commit` may follow.
  bool complete() const;
  /// The plan file of an unfinished run at the target that does what this job
  /// does, within its memory: loaded, that goes on. Nothing if there is none.
  std::optional<std::string> unfinished_plan() const;
  /// How far the run of this job, or of another at its target, is.
  Status status() const;
  /// True if no run is going on and the target is as `commit` leaves it.
  bool committed() const;
  /// After a run that ended well: places beside the target that could not be
  /// emptied, though they should be. Throws: io.
  std::vector<std::string> leftovers() const;
  /// Removes all that a run of this job wrote, finished or not; from a target
  /// that existed nothing but what was to be appended, from one that was to be
  /// replaced nothing.
  /// Throws: invalid_argument if a process is at work on it, or the new target
  /// has already taken the old one's place.
  void discard();
  /// Gives back the memory that is kept between tasks.
  void trim_memory();

  /// One step, or tasks [first, stop) of it.
  void run_step(const Step& step);
  void run_step(const Step& step, std::int64_t first, std::int64_t stop);

 private:
  struct State;
  explicit Job(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

inline Job Executor::share(const std::function<Job()>& plan) { return plan(); }

/// How far the run of a target is.
struct Status {
  enum class State {
    kAbsent,    ///< Neither a target nor a run.
    kComplete,  ///< A finished target, by rechunk or not.
    kRunning,
    kStopped,  ///< Left unfinished: `Job::unfinished` has it.
  };
  struct Array {
    std::string name;
    std::vector<std::int64_t> tasks_done, tasks;  ///< By stage.
  };
  State state = State::kAbsent;
  Progress progress;  ///< Without seconds.
  std::vector<Array> arrays;
  /// Who works on it, or was the last to; empty where that is not known.
  std::string host, user;
  std::int64_t pid = 0;
  std::int64_t since = 0;  ///< Seconds since 1970.
};
std::string_view to_string(Status::State state);
std::string to_json(const Status& status);

/// Removes what a process that was killed while it began or ended a run left
/// at a target. True if the target is complete; false where a run is
/// unfinished, or nothing is there.
bool tidy_up(const std::string& target);

/// Throws: corrupt, io.
Status status(const std::string& target);

/// The plan of an array that need not exist (`rechunk plan --shape`).
struct PaperArray {
  Shape shape;
  std::string dtype;                   ///< numpy typestr, "f4" or "<f4".
  Shape source_chunks, source_shards;  ///< Shards may be empty.
};
Plan plan_on_paper(const PaperArray& array, const Options& options);

/// A quick look instead of a whole comparison.
struct Sample {
  std::int64_t regions = 0;  ///< Of each array, drawn at random; 0: all.
  std::uint64_t seed = 0;
};

/// The result of comparing two arrays or groups.
struct Comparison {
  /// A box of some chunks of the first array in which elements differ.
  struct Difference {
    Shape start, stop;
    std::int64_t elements = 0;     ///< That differ.
    Shape first;                   ///< The first of them, and what it is:
    std::string value_a, value_b;  ///< JSON, or bytes in hex.
  };
  struct Array {
    std::string name;
    std::string digest_a, digest_b;  ///< 32 hex digits each; "" of a sample.
    bool equal = false;              ///< Of a sample: no difference was found.
    bool compared = true;            ///< False if it cannot be decoded.
    std::string difference;  ///< Why not: shape, type, first element, ...
    /// The first sixteen, and how many there are.
    std::vector<Difference> differences;
    std::int64_t different_regions = 0;
    std::int64_t different_elements = 0;  ///< In `differences`, at least.
    std::int64_t regions = 0, compared_regions = 0;  ///< 0: not looked at.
    std::int64_t compared_elements = 0;
  };
  std::vector<Array> arrays;
  bool equal = false;
};

/// Compares the elements of two arrays, or of all arrays of two groups,
/// whatever their chunking, codecs, byte order and format; reads each once, and
/// again where they differ. Only `max_memory` and `threads` of the options
/// matter.
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
  std::int64_t stored_bytes = 0;  ///< Of those objects.
  /// Why rechunk does not know where its chunks lie; then only the name, the
  /// format and the objects are known. "" for all others.
  std::string cause;
};
std::vector<ArrayInfo> info(const std::string& url);

/// Half of the machine's memory, or of the cgroup's limit if that is less.
std::int64_t default_max_memory();

}  // namespace rechunk

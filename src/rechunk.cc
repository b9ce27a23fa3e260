// Puts the parts together: what is asked for -> a plan -> a run -> a target.
#include "rechunk/rechunk.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "exec/run_plan.h"
#include "job/digest_array.h"
#include "job/job_runner.h"
#include "job/machine.h"
#include "job/places.h"
#include "job/target_hierarchy.h"
#include "plan/chunk_spec.h"
#include "plan/planner.h"
#include "zarr/hierarchy.h"

namespace rechunk {

namespace {

// What a job knows; Job::State is this under a name that its header can say.
struct JobState {
  Options options;
  JobStores stores;
  std::shared_ptr<Store> journal;  ///< Null for injected stores.
  std::string source_place, target_place, temp_place;  ///< "" if injected.
  Hierarchy source, target;
  Plan plan;
};

constexpr const char* kJournalPlan = "plan.json";

Options with_defaults(Options options) {
  if (options.max_memory <= 0) options.max_memory = default_max_memory();
  if (options.threads <= 0) options.threads = available_threads();
  return options;
}

std::string describe(const std::string& name) {
  return name.empty() ? "the array" : "array " + name;
}

Plan plan_arrays(const Hierarchy& source, const Hierarchy& target,
                 const Options& options) {
  std::vector<ArrayProblem> problems;
  for (const auto& [path, array] : source.arrays)
    problems.push_back(with_context(
        [&] {
          return make_problem(path, array, target.arrays.at(path),
                              options.verify);
        },
        [&] { return describe(path); }));
  Plan plan = make_plan(problems, {options.max_memory, options.threads});
  validate(plan, problems);
  return plan;
}

void prepare(JobState& state) {
  state.source = read_hierarchy(*state.stores.source);
  state.target = make_target_hierarchy(state.source, state.options);
  state.plan = plan_arrays(state.source, state.target, state.options);
}

bool is_empty(const Store& store) {
  bool empty = true;
  store.list("", [&](std::string_view, std::int64_t) { empty = false; });
  return empty;
}

void erase_all(Store& store) { erase_hierarchy(store, true); }

// What stands at the target: nothing, an array or group, an unfinished run, or
// something that is not ours to remove.
void make_room(JobState& state) {
  Store& target = *state.stores.target;
  const std::string place = target.describe("");
  const bool exists = has_metadata(target);
  if (!exists && is_empty(target)) return;
  const bool unfinished =
      state.journal && read_text(*state.journal, kJournalPlan).has_value();
  if (!exists && !unfinished)
    throw Error(
        ErrorKind::kInvalidArgument,
        "the target " + place + " is not empty, and is no Zarr array or group",
        "choose another target; rechunk removes nothing but Zarr data");
  if (!state.options.overwrite)
    throw Error(ErrorKind::kInvalidArgument,
                "the target " + place +
                    (exists ? " exists" : " is left from an unfinished run"),
                "--overwrite replaces it");
  erase_all(target);
}

// Removes what a run leaves beside its target, or all it wrote.
void clean_up(JobState& state, bool target_too) noexcept {
  const auto erase = [](const std::shared_ptr<Store>& store) {
    try {
      if (store) erase_all(*store);
    } catch (const Error&) {
      // The error that brought us here matters more.
    }
  };
  if (!state.options.keep_temp) erase(state.stores.temp);
  if (target_too) erase(state.stores.target);
  try {
    if (state.journal) state.journal->erase(kJournalPlan);
  } catch (const Error&) {
    // As above.
  }
}

std::vector<ArrayReport> make_reports(const std::vector<ArrayResult>& results) {
  std::vector<ArrayReport> reports;
  for (const ArrayResult& result : results)
    reports.push_back({result.stages, ""});
  return reports;
}

// Decodes the target again; its digests must be those of what was read.
void verify_target(const JobState& state,
                   const std::vector<ArrayResult>& results,
                   const ReadOptions& read, Report& report) {
  for (std::size_t index = 0; index < state.plan.arrays.size(); ++index) {
    const StagedCopySpec& spec = state.plan.arrays[index];
    const StoredArray source{state.stores.source, spec.name,
                             state.source.arrays.at(spec.name)};
    const StoredArray target{state.stores.target, spec.name,
                             state.target.arrays.at(spec.name)};
    const auto fail = [&](const std::string& what) {
      throw Error(ErrorKind::kCorrupt, "verifying " + describe(spec.name) +
                                           " of the target: " + what);
    };
    if (!can_decode(target.metadata)) {
      if (!same_objects(source, target, read)) fail("encoded objects differ");
      continue;
    }
    const Digest expected = spec.method == Method::kPassthrough
                                ? digest_array(source, read)
                                : results[index].digest;
    const Digest found = digest_array(target, read);
    report.arrays[index].digest = to_string(found);
    if (found != expected)
      fail("digest " + to_string(found) + ", read was " + to_string(expected));
  }
}

Report run_job(JobState& state, Observer* observer, std::stop_token stop) {
  MemoryBudget budget(state.options.max_memory);
  JobRunner runner(state.plan, state.source, state.target, state.stores,
                   state.options);
  const auto results = run_plan(state.plan, runner, budget,
                                {state.options.keep_temp, observer, stop});
  Report report;
  report.arrays = make_reports(results);
  if (state.options.verify)
    verify_target(state, results, {budget, state.plan.threads, stop}, report);
  if (stop.stop_requested())
    throw Error(ErrorKind::kCancelled, "stopped on request");
  write_hierarchy(*state.stores.target, state.target);
  return report;
}

}  // namespace

struct Job::State : JobState {};

Job::Job(const std::string& source, const std::string& target,
         const Options& options)
    : state_(std::make_unique<State>()) {
  state_->options = with_defaults(options);
  state_->source_place = source;
  state_->target_place = target;
  check_apart(source, target);
  state_->temp_place = temp_place(options.temp, target);
  state_->stores = {open_store(source), open_store(target),
                    open_store(state_->temp_place)};
  state_->journal = open_store(journal_place(target));
  prepare(*state_);
}

Job::Job(std::shared_ptr<Store> source, std::shared_ptr<Store> target,
         std::shared_ptr<Store> temp, const Options& options)
    : state_(std::make_unique<State>()) {
  state_->options = with_defaults(options);
  state_->stores = {std::move(source), std::move(target), std::move(temp)};
  prepare(*state_);
}

Job::~Job() = default;
Job::Job(Job&&) noexcept = default;

const Plan& Job::plan() const { return state_->plan; }

Report Job::run(Observer* observer, std::stop_token stop) {
  const auto begin = std::chrono::steady_clock::now();
  make_room(*state_);
  if (!state_->temp_place.empty())
    check_free_space(state_->temp_place, state_->plan.temp_bytes);
  if (state_->stores.temp)
    erase_all(*state_->stores.temp);  // What a killed run left.
  Report report;
  try {
    if (state_->journal)
      write_text(*state_->journal, kJournalPlan, to_json(state_->plan));
    report = run_job(*state_, observer, stop);
  } catch (...) {
    clean_up(*state_, true);
    throw;
  }
  clean_up(*state_, false);
  report.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  report.max_rss = max_rss();
  return report;
}

}  // namespace rechunk

// Every call that a run makes to its stores goes wrong once, in every way.
//
// RECHUNK_FAULTS says how many of all faults are tried, RECHUNK_SEED which;
// "all" tries each. RECHUNK_FAULT=N tries only the N-th.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "fault_jobs.h"
#include "fault_store.h"
#include "rechunk/error.h"
#include "verify/compare_hierarchies.h"
#include "verify/digest_array.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk::faults {
namespace {

constexpr unsigned kPatienceSeconds = 100;

std::string setting(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

/// One run that is to go wrong.
struct Trial {
  const FaultJob* job;
  std::string executor;
  Injection injection;
  FaultScript::Seen call;  ///< That it hits, where calls come in one order.

  std::string describe() const {
    return job->name + " by " + executor + ": " +
           (injection.lasting ? "from " : "at ") + "call " +
           std::to_string(injection.at) + " (" + call.place + " " +
           std::string(to_string(call.call)) + " " + call.key +
           "): " + std::string(to_string(injection.fault));
  }
};

// Ends a run that hangs, with its name.
class Watchdog {
 public:
  explicit Watchdog(const std::string& what) {
    text_ = "hangs: " + what + "\n";
    std::signal(SIGALRM, [](int) {
      [[maybe_unused]] const auto put =
          ::write(STDERR_FILENO, text_.data(), text_.size());
      std::abort();
    });
    ::alarm(kPatienceSeconds);
  }
  ~Watchdog() { ::alarm(0); }

 private:
  static inline std::string text_;
};

Stores faulty(const Stores& stores, FaultScript& script) {
  return {.source = with_faults(stores.source, "source", script),
          .target = with_faults(stores.target, "target", script),
          .temp = with_faults(stores.temp, "temp", script),
          .journal = with_faults(stores.journal, "journal", script)};
}

// The plan file is left in `plan`, if planning does not fail.
void run_job(const FaultJob& job, const std::string& executor,
             const Stores& stores, std::string* plan = nullptr) {
  Job run("", "", job.options, stores);
  if (plan) *plan = run.save();
  make_executor(executor)->run(run, nullptr, {});
}

// Goes on where a run was left, or begins it.
void resume_job(const FaultJob& job, const std::string& executor,
                const Stores& stores, const std::string& plan) {
  if (plan.empty()) return run_job(job, executor, stores);
  Job run = Job::load(plan, stores);
  make_executor(executor)->run(run, nullptr, {});
}

// Begins anew where a run was complete but for its last words.
void replace_target(FaultJob job, const std::string& executor,
                    const Stores& stores) {
  job.options.overwrite = true;
  run_job(job, executor, stores);
}

bool is_document(const std::string& key) {
  return key.ends_with("zarr.json") || key.find("/.z") != std::string::npos ||
         key.starts_with(".z");
}

Objects chunks_of(const Objects& objects) {
  Objects chunks;
  for (const auto& [key, bytes] : objects)
    if (!is_document(key)) chunks.emplace(key, bytes);
  return chunks;
}

// The keys in which two stores differ; "" if they are equal.
std::string difference(const Objects& found, const Objects& expected) {
  std::string keys;
  for (const auto& [key, bytes] : expected) {
    const auto object = found.find(key);
    if (object == found.end())
      keys += " -" + key;
    else if (object->second != bytes)
      keys += " !" + key;
  }
  for (const auto& [key, bytes] : found)
    if (!expected.contains(key)) keys += " +" + key;
  return keys;
}

// Documents come last: where one stands all chunks must be there and right.
void expect_not_wrong(const Trial& trial, const Stores& stores) {
  const Objects target = objects_in(*stores.target);
  const bool openable =
      std::any_of(target.begin(), target.end(),
                  [](const auto& object) { return is_document(object.first); });
  if (!openable) return;
  Objects expected = chunks_of(trial.job->expected);
  for (const auto& [key, bytes] : trial.job->expected)
    if (is_document(key) && target.contains(key)) expected[key] = bytes;
  EXPECT_EQ(difference(target, expected), "")
      << "the target can be opened, and is wrong";
}

// A store that denies what it has, or changes what has no checksum, can be
// found out only by reading again.
bool is_beyond_one_reading(const Trial& trial) {
  const FaultScript::Seen& call = trial.call;
  const Fault fault = trial.injection.fault;
  if (call.place != "source") return false;
  if (call.call == Call::kList || is_document(call.key)) return is_lie(fault);
  return fault == Fault::kLose ||
         (fault == Fault::kCorrupt && !trial.job->checksums);
}

bool elements_are_equal(const Stores& stores) {
  const Hierarchy source = read_hierarchy(*stores.source);
  const Hierarchy target = read_hierarchy(*stores.target);
  MemoryBudget budget(1 << 26);
  return compare_hierarchies(stores.source, source, stores.target, target,
                             {budget, 1, {}})
      .equal;
}

void expect_found_by_comparison(const Trial& trial, const Stores& stores) {
  if (trial.call.call == Call::kList || is_document(trial.call.key)) return;
  EXPECT_EQ(elements_are_equal(stores),
            objects_in(*stores.target) == trial.job->expected);
}

// Byte by byte; but bits that a store changes may be the padding of a chunk at
// the array's edge, which no element says anything of.
void expect_right(const Trial& trial, const Stores& stores) {
  const bool changed = trial.injection.fault == Fault::kCorrupt &&
                       trial.call.place == "target" &&
                       !is_document(trial.call.key);
  if (changed)
    EXPECT_TRUE(elements_are_equal(stores));
  else
    EXPECT_EQ(difference(objects_in(*stores.target), trial.job->expected), "");
}

// Where calls fail one after the other, any of them may be what ended the run.
void expect_a_good_message(const Trial& trial, const FaultScript& script,
                           const Error& error) {
  const std::string text = error.what();
  const auto mentions = [&](const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_NE(error.kind(), ErrorKind::kInternal) << text;
  if (!is_lie(trial.injection.fault)) {
    EXPECT_TRUE(std::any_of(script.hits().begin(), script.hits().end(),
                            [&](const FaultScript::Seen& hit) {
                              return mentions(hit.place + ":" + hit.key);
                            }))
        << text;
    EXPECT_TRUE(mentions("injected fault")) << text;
    EXPECT_EQ(error.kind(), ErrorKind::kIo) << text;
  } else {
    EXPECT_TRUE(mentions(trial.call.key) || mentions("array") ||
                mentions("target:") || mentions("journal:"))
        << text;
  }
}

// False if the run ended before that call: threads come in any order.
bool try_fault(Trial trial, std::uint64_t seed, int& errors) {
  const Watchdog watchdog(trial.describe());
  const Stores stores = stores_for(*trial.job);
  FaultScript script(trial.injection, seed);
  std::optional<Error> failure;
  std::string plan;
  try {
    run_job(*trial.job, trial.executor, faulty(stores, script), &plan);
  } catch (const Error& error) {
    failure = error;
    ++errors;
  }
  if (script.hits().empty()) {
    EXPECT_FALSE(failure) << failure->what();
    return false;
  }
  trial.call = script.hits().front();
  if (failure) expect_a_good_message(trial, script, *failure);
  EXPECT_EQ(difference(objects_in(*stores.source), trial.job->source), "")
      << "the source was modified";
  if (is_beyond_one_reading(trial)) {
    if (!failure) expect_found_by_comparison(trial, stores);
    return true;
  }
  if (!failure) {
    expect_right(trial, stores);
    return true;
  }
  expect_not_wrong(trial, stores);
  // What is left behind is in the way of nothing.
  forget_process(*stores.journal);
  if (objects_in(*stores.target) != trial.job->expected)
    resume_job(*trial.job, trial.executor, stores, plan);
  else
    replace_target(*trial.job, trial.executor, stores);
  EXPECT_EQ(difference(objects_in(*stores.target), trial.job->expected), "");
  EXPECT_EQ(difference(objects_in(*stores.temp), {}), "");
  EXPECT_EQ(difference(objects_in(*stores.journal), {}), "");
  return true;
}

// Each fault at each call, of each job, by each executor.
std::vector<Trial> all_trials() {
  std::vector<Trial> trials;
  for (const FaultJob& job : fault_jobs()) {
    for (const std::string executor : {"threads", "serial"}) {
      FaultScript script({});
      const Stores stores = stores_for(job);
      run_job(job, executor, faulty(stores, script));
      EXPECT_EQ(difference(objects_in(*stores.target), job.expected), "");
      const auto calls = static_cast<std::int64_t>(script.seen().size());
      for (std::int64_t at = 0; at < calls; ++at) {
        const FaultScript::Seen& call = script.seen()[at];
        for (int fault = 1; fault < kFaults; ++fault) {
          const Injection injection{at, static_cast<Fault>(fault)};
          if (!applies(injection.fault, call.call)) continue;
          trials.push_back({&job, executor, injection, call});
          // These take their time: the run tries again.
          if (injection.fault == Fault::kFail ||
              (injection.fault == Fault::kInterrupt && at % 50 == 0))
            trials.push_back(
                {&job, executor, {at, injection.fault, true}, call});
        }
      }
    }
  }
  return trials;
}

std::vector<std::size_t> chosen(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> indices(count);
  for (std::size_t i = 0; i < count; ++i) indices[i] = i;
  if (const std::string only = setting("RECHUNK_FAULT", ""); !only.empty())
    return {std::stoul(only)};
  const std::string wanted = setting("RECHUNK_FAULTS", "200");
  if (wanted == "all") return indices;
  std::mt19937_64 random(seed);
  std::shuffle(indices.begin(), indices.end(), random);
  indices.resize(std::min<std::size_t>(count, std::stoul(wanted)));
  return indices;
}

TEST(Faults, EndInTheRightTargetOrInAnErrorThatNamesTheObject) {
  const auto seed = std::stoull(setting("RECHUNK_SEED", "20260"));
  const std::vector<Trial> trials = all_trials();
  const auto indices = chosen(trials.size(), seed);
  int errors = 0;
  std::size_t hits = 0;
  for (const std::size_t index : indices) {
    SCOPED_TRACE("RECHUNK_SEED=" + std::to_string(seed) + " RECHUNK_FAULT=" +
                 std::to_string(index) + ": " + trials[index].describe());
    ASSERT_NO_THROW(hits += try_fault(trials[index], seed + index, errors));
  }
  EXPECT_GT(hits, indices.size() * 9 / 10);
  std::printf("%zu of %zu faults (seed %llu): %d errors, %zu successes\n", hits,
              trials.size(), static_cast<unsigned long long>(seed), errors,
              hits - static_cast<std::size_t>(errors));
}

// The first call of a run without faults that erases a record of done tasks.
std::int64_t first_record_erased(const FaultJob& job,
                                 const std::string& executor) {
  FaultScript script({});
  run_job(job, executor, faulty(stores_for(job), script));
  const auto& seen = script.seen();
  return std::find_if(seen.begin(), seen.end(),
                      [](const FaultScript::Seen& call) {
                        return call.call == Call::kErase &&
                               call.key.starts_with("done/");
                      }) -
         seen.begin();
}

TEST(Faults, RecordsThatWereNotCleanedUpDoNotCountForTheNextRun) {
  for (FaultJob job : fault_jobs()) {
    job.options.overwrite = true;
    for (const std::string executor : {"threads", "serial"}) {
      SCOPED_TRACE(job.name + " by " + executor);
      const Stores stores = stores_for(job);
      const auto at = first_record_erased(job, executor);
      FaultScript script({at, Fault::kFail, true});
      EXPECT_THROW(run_job(job, executor, faulty(stores, script)), Error);
      bool recorded = false;
      for (const auto& [key, text] : objects_in(*stores.journal))
        recorded = recorded || key.starts_with("done/");
      EXPECT_TRUE(recorded);
      forget_process(*stores.journal);
      run_job(job, executor, stores);
      EXPECT_EQ(difference(objects_in(*stores.target), job.expected), "");
    }
  }
}

// Tidying up goes wrong from its middle on. (Trying again takes seconds.)
TEST(Faults, LeaveACompleteTargetAsItIs) {
  const auto& jobs = fault_jobs();
  for (const auto& [job, executor] :
       {std::pair{&jobs[0], "threads"}, std::pair{&jobs[1], "serial"}})
    for (const Fault fault : {Fault::kFail, Fault::kForget}) {
      const Injection injection{first_record_erased(*job, executor), fault,
                                true};
      const Trial trial{job, executor, injection, {}};
      SCOPED_TRACE(trial.describe());
      const Stores stores = stores_for(*job);
      FaultScript script(injection);
      EXPECT_THROW(run_job(*job, executor, faulty(stores, script)), Error);
      EXPECT_EQ(difference(objects_in(*stores.target), job->expected), "");
    }
}

TEST(Faults, HitEveryKindOfCallOfEveryStore) {
  std::map<std::string, int> reached;
  for (const Trial& trial : all_trials())
    ++reached[trial.call.place + " " + std::string(to_string(trial.call.call))];
  for (const char* call :
       {"source read",    "source list",    "target read",   "target open",
        "target append",  "target commit",  "target list",   "temp read",
        "temp open",      "temp append",    "temp commit",   "temp erase",
        "temp list",      "journal read",   "journal open",  "journal append",
        "journal commit", "journal create", "journal erase", "journal list"})
    EXPECT_GT(reached[call], 0) << call;
}

}  // namespace
}  // namespace rechunk::faults

// Random rechunks with random faults in one process, which must not grow.
//
// RECHUNK_SOAK_SECONDS says how long, RECHUNK_SEED which.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "base/folder_testing.h"
#include "fault_jobs.h"
#include "fault_store.h"
#include "rechunk/error.h"
#include "verify/compare_hierarchies.h"
#include "verify/digest_array.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk::faults {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// What a process may grow once it is warm: allocators keep a little.
constexpr std::int64_t kGrowthBytes = 16 << 20;
constexpr auto kWarmUp = 0.2;  ///< Of the time.

std::int64_t resident_bytes() {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * ::sysconf(_SC_PAGESIZE);
}

std::int64_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), {});
}

struct Usage {
  std::int64_t resident = resident_bytes();
  std::int64_t descriptors = entries("/proc/self/fd");
  std::int64_t threads = entries("/proc/self/task");
};

class Soak {
 public:
  Soak(std::uint64_t seed, fs::path folder)
      : random_(seed), folder_(std::move(folder)) {}

  // One run that may go wrong, and one that mends it.
  void run_once() {
    const FaultJob& job = fault_jobs()[number(fault_jobs().size())];
    const Stores stores = number(2) ? stores_for(job) : stores_on_disk(job);
    const Options options = random_options(job);
    FaultScript script(
        {number(2000), honest_fault(), number(4) == 0 ? true : false},
        random_());
    ++runs_;
    std::string plan;
    bool refused = false;
    try {
      run(options,
          {.source = with_faults(stores.source, "source", script),
           .target = with_faults(stores.target, "target", script),
           .temp = with_faults(stores.temp, "temp", script),
           .journal = with_faults(stores.journal, "journal", script)},
          plan);
    } catch (const Error& error) {
      ++errors_;
      ASSERT_NE(error.kind(), ErrorKind::kInternal) << error.what();
      refused = is_refusal(error);
      if (!refused) {
        forget_process(*stores.journal);
        refused = !mend(options, stores, plan);
      }
    }
    if (!refused) check(job, stores);
    fs::remove_all(folder_ / "run");
  }

  // Where only the end of tidying up failed, the target is complete; where the
  // store lost the run's plan, the run begins anew, as the error says. False if
  // it could never begin.
  bool mend(Options options, const Stores& stores, const std::string& plan) {
    try {
      resume(options, stores, plan);
    } catch (const Error& error) {
      if (plan.empty() && is_refusal(error)) return false;
      if (says(error, "exists")) return true;
      EXPECT_TRUE(says(error, "plan is lost")) << error.what();
      options.overwrite = true;
      std::string ignored;
      run(options, stores, ignored);
    }
    return true;
  }

  void check(const FaultJob& job, const Stores& stores) {
    expect_equal(stores);
    EXPECT_EQ(objects_in(*stores.source), job.source);
    EXPECT_TRUE(objects_in(*stores.temp).empty());
  }

  std::int64_t runs() const { return runs_; }
  std::int64_t errors() const { return errors_; }

 private:
  std::int64_t number(std::size_t end) {
    return std::uniform_int_distribution<std::int64_t>(
        0, static_cast<std::int64_t>(end) - 1)(random_);
  }

  Fault honest_fault() {
    constexpr Fault kHonest[] = {Fault::kNone,   Fault::kFail,
                                 Fault::kFail,   Fault::kInterrupt,
                                 Fault::kForget, Fault::kRepeat};
    return kHonest[number(std::size(kHonest))];
  }

  Options random_options(const FaultJob& job) {
    Options options = job.options;
    options.threads = static_cast<int>(1 + number(3));
    options.max_memory *= 1 + number(4);
    options.max_memory *= options.threads;
    if (job.name != "group" && job.name != "mostly_kept" && number(3) > 0) {
      options.chunks.clear();
      for (const int length : {24, 20, 22}) {
        if (!options.chunks.empty()) options.chunks += ",";
        options.chunks += std::to_string(1 + number(length));
      }
      options.shards = "none";
    }
    return options;
  }

  static bool says(const Error& error, const std::string& words) {
    return (error.what() + error.hint()).find(words) != std::string::npos;
  }

  static bool is_refusal(const Error& error) {
    return error.kind() == ErrorKind::kBudgetExceeded;
  }

  void run(const Options& options, const Stores& stores, std::string& plan) {
    Job job("", "", options, stores);
    plan = job.save();
    make_executor(number(2) ? "threads" : "serial")->run(job, nullptr, {});
  }

  void resume(const Options& options, const Stores& stores, std::string plan) {
    if (plan.empty()) return run(options, stores, plan);
    Job job = Job::load(plan, stores);
    make_executor(number(2) ? "threads" : "serial")->run(job, nullptr, {});
  }

  Stores stores_on_disk(const FaultJob& job) {
    const auto open = [&](const char* name) {
      return open_store((folder_ / "run" / name).string());
    };
    for (const auto& [key, bytes] : job.source)
      write_text(*open("source"), key, bytes);
    return {open("source"), nullptr,         open("target"),
            open("temp"),   open("journal"), {}};
  }

  static void expect_equal(const Stores& stores) {
    MemoryBudget budget(1 << 24);
    EXPECT_TRUE(
        compare_hierarchies(stores.source, read_hierarchy(*stores.source),
                            stores.target, read_hierarchy(*stores.target),
                            {budget, 1, {}})
            .equal);
  }

  std::mt19937_64 random_;
  const fs::path folder_;
  std::int64_t runs_ = 0, errors_ = 0;
};

double setting(const char* name, double otherwise) {
  const char* value = std::getenv(name);
  return value ? std::atof(value) : otherwise;
}

TEST(Soak, LeaksNothingAndIsNeverWrong) {
  if (!std::getenv("RECHUNK_SOAK_SECONDS"))
    GTEST_SKIP() << "takes as long as RECHUNK_SOAK_SECONDS says: `make soak`";
  const auto seed = static_cast<std::uint64_t>(setting("RECHUNK_SEED", 20260));
  const double seconds = setting("RECHUNK_SOAK_SECONDS", 3);
  const TestFolder own;
  const fs::path& folder = own.path();
  Soak soak(seed, folder);
  const auto begin = Clock::now();
  const auto past = [&] {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  while (past() < kWarmUp * seconds && !HasFailure()) soak.run_once();
  const Usage before;
  std::int64_t peak = before.resident;
  while (past() < seconds && !HasFailure()) {
    soak.run_once();
    peak = std::max(peak, resident_bytes());
  }
  const Usage after;
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_LE(after.resident, before.resident + kGrowthBytes);
  EXPECT_TRUE(fs::is_empty(folder)) << "files are left in " << folder;
  std::printf(
      "%lld runs in %.0f s (seed %llu), %lld ended in errors and were mended; "
      "resident %.1f MiB, then %.1f, at most %.1f\n",
      static_cast<long long>(soak.runs()), past(),
      static_cast<unsigned long long>(seed),
      static_cast<long long>(soak.errors()),
      static_cast<double>(before.resident) / (1 << 20),
      static_cast<double>(after.resident) / (1 << 20),
      static_cast<double>(peak) / (1 << 20));
}

}  // namespace
}  // namespace rechunk::faults

// What a run asks of its stores beside the work, which engines pay per batch.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "executors/testing.h"
#include "rechunk/run.h"
#include "rechunk/store.h"

namespace rechunk {
namespace {

using testing::make_job;
using testing::make_stores;
using testing::objects_in;

/// Counts requests of all kinds, by the first part of their key.
class Counted final : public Store {
 public:
  explicit Counted(std::shared_ptr<Store> store) : store_(std::move(store)) {}

  void read_many(std::span<ReadRequest> all,
                 const OnRead& on_done) const override {
    store_->read_many(all, [&](ReadRequest& request) {
      count("read", request.key);
      return on_done && on_done(request);
    });
  }
  std::unique_ptr<ObjectWriter> open_writer(std::string_view key,
                                            std::int64_t header) override {
    count("write", key);
    return store_->open_writer(key, header);
  }
  bool create_if_absent(std::string_view key,
                        std::span<const std::byte> bytes) override {
    count("create", key);
    return store_->create_if_absent(key, bytes);
  }
  bool erase(std::string_view key) override {
    count("erase", key);
    return store_->erase(key);
  }
  void scan(std::string_view prefix, const VisitListed& visit) const override {
    count("list", prefix);
    store_->scan(prefix, visit);
  }

  std::string describe(std::string_view key) const override {
    return store_->describe(key);
  }
  std::shared_ptr<Store> below(std::string_view key) const override {
    return store_->below(key);
  }
  std::shared_ptr<Store> above() const override { return store_->above(); }

  std::map<std::string, int> counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  int all() const {
    int sum = 0;
    for (const auto& [what, times] : counts()) sum += times;
    return sum;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    counts_.clear();
  }

 private:
  void count(const std::string& what, std::string_view key) const {
    const std::lock_guard lock(mutex_);
    ++counts_[what + " " + std::string(key.substr(0, key.find('/')))];
  }

  const std::shared_ptr<Store> store_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, int> counts_;
};

/// A job that was begun elsewhere, and this process's part in it.
struct Joined {
  explicit Joined(const Stores& stores)
      : job(Job::load(make_job(stores).save(), with_counted(stores))),
        run(job) {
    Job first = make_job(stores);
    rechunk::Run(first).prepare();
  }

  Stores with_counted(Stores stores) {
    journal = std::make_shared<Counted>(stores.journal);
    target = std::make_shared<Counted>(stores.target);
    stores.journal = journal;
    stores.target = target;
    return stores;
  }

  std::shared_ptr<Counted> journal, target;
  Job job;
  rechunk::Run run;
};

TEST(Requests, ABatchCostsTwoOfTheJournal) {
  const Stores stores = make_stores();
  Joined joined(stores);
  const std::int64_t tasks = joined.job.plan().arrays[0].stages[0].tasks;
  ASSERT_GE(tasks, 10);
  joined.run.run_tasks({0, 0, 0, 1});
  joined.journal->forget();
  for (std::int64_t task = 1; task < tasks; ++task)
    EXPECT_EQ(joined.run.run_tasks({0, 0, task, task + 1}).counted.tasks, 1);
  const auto counts = joined.journal->counts();
  EXPECT_EQ(counts.at("read ready"), tasks - 1);
  EXPECT_EQ(counts.at("write done"), tasks - 1);
  EXPECT_LE(joined.journal->all(), 2 * (tasks - 1) + 1)  // A beat may be due.
      << counts.size() << " kinds";
}

TEST(Requests, ABatchThatIsDoneIsNotRunAgain) {
  const Stores stores = make_stores();
  Joined joined(stores);
  EXPECT_EQ(joined.run.run_tasks({0, 0, 0, 3}).counted.tasks, 3);
  EXPECT_EQ(joined.run.run_tasks({0, 0, 0, 5}).counted.tasks, 2) << "its own";
  Job loaded = Job::load(joined.job.save(), stores);
  rechunk::Run other(loaded);
  EXPECT_EQ(other.run_tasks({0, 0, 1, 6}).counted.tasks, 1) << "what it found";
}

TEST(Requests, ABatchThatAnotherProcessDidMeanwhileIsNoFailure) {
  const Stores stores = make_stores();
  Joined joined(stores);
  joined.run.run_tasks({0, 0, 0, 1});  // It knows the journal from now on.
  Job loaded = Job::load(joined.job.save(), stores);
  rechunk::Run other(loaded);
  const std::int64_t tasks = joined.job.plan().arrays[0].stages[0].tasks;
  EXPECT_EQ(other.run_tasks({0, 0, 0, tasks}).counted.tasks, tasks - 1);
  for (const auto& [key, bytes] : objects_in(*stores.source))
    if (key != "zarr.json") stores.source->erase(key);
  EXPECT_EQ(joined.run.run_tasks({0, 0, 1, 2}).counted.tasks, 0);
}

TEST(Requests, ARecordOfAnEarlierRunOfThePlanDoesNotCount) {
  const Stores stores = make_stores();
  Joined joined(stores);
  joined.run.run_tasks({0, 0, 0, 3});
  const auto late = objects_in(*stores.journal);
  for (const auto& store : {stores.journal, stores.target, stores.temp})
    for (const auto& [key, text] : objects_in(*store)) store->erase(key);
  Joined again(stores);
  for (const auto& [key, text] : late)
    if (key.starts_with("done/")) write_text(*stores.journal, key, text);
  EXPECT_EQ(again.run.run_tasks({0, 0, 0, 3}).counted.tasks, 3);
}

TEST(Requests, WhatALateBatchLeftBehindGoesSoon) {
  const Stores stores = make_stores();
  Joined joined(stores);
  joined.run.run_tasks({0, 0, 0, 1});
  const auto before = objects_in(*stores.journal);
  Job leader = Job::load(joined.job.save(), stores);
  rechunk::Run others(leader);
  for (const Step& step : steps_of(leader.plan())) others.run_step(step);
  // As if its record had been on its way when the run ended.
  for (const auto& [key, text] : before)
    if (key.starts_with("done/")) write_text(*stores.journal, key, text);
  write_text(*stores.temp, "0/1/0", "an intermediate");
  for (int tries = 0; tries < 100 && !objects_in(*stores.journal).empty();
       ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(objects_in(*stores.journal).empty());
  EXPECT_TRUE(objects_in(*stores.temp).empty());
  EXPECT_EQ(objects_in(*stores.target), testing::expected_target());
}

TEST(Requests, ACommitDoesNotListTheTarget) {
  const Stores stores = make_stores();
  Joined joined(stores);
  for (const Step& step : steps_of(joined.job.plan()))
    if (step.kind == Step::Kind::kCopy) joined.run.run_step(step);
  joined.target->forget();
  joined.run.commit();
  for (const auto& [what, times] : joined.target->counts())
    EXPECT_FALSE(what.starts_with("list")) << what << ": " << times;
  EXPECT_EQ(objects_in(*stores.target), testing::expected_target());
}

}  // namespace
}  // namespace rechunk

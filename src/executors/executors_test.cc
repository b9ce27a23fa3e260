#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "executors/testing.h"
#include "rechunk/executor.h"
#include "rechunk/run.h"

namespace rechunk {
namespace {

using testing::make_job;
using testing::make_stores;
using testing::objects_in;

class LastProgress final : public Observer {
 public:
  void on_progress(const Progress& progress) override { last = progress; }
  Progress last;
};

class Executors : public ::testing::TestWithParam<const char*> {};

TEST_P(Executors, WriteTheSameTargetAndLeaveNothingElse) {
  const Stores stores = make_stores();
  Job job = make_job(stores);
  ASSERT_EQ(job.plan().arrays[0].method, Method::kStaged);
  LastProgress progress;
  const Report report = make_executor(GetParam())->run(job, &progress, {});
  EXPECT_EQ(objects_in(*stores.target), testing::expected_target());
  EXPECT_TRUE(objects_in(*stores.temp).empty());
  EXPECT_TRUE(objects_in(*stores.journal).empty());
  EXPECT_GT(progress.last.tasks_total, 2);
  EXPECT_EQ(progress.last.tasks_done, progress.last.tasks_total);
  EXPECT_EQ(progress.last.bytes_done, progress.last.bytes_total);
  ASSERT_EQ(report.arrays.size(), 1u);
  EXPECT_EQ(report.arrays[0].digest.size(), 32u);
  EXPECT_EQ(report.arrays[0].stages[1].counted.tasks,
            job.plan().arrays[0].stages[1].tasks);
}

TEST_P(Executors, LeaveNothingOfARunThatDidNothing) {
  const Stores stores = make_stores();
  for (int chunk = 0; chunk < testing::kLength; ++chunk)
    write_text(*stores.source, "c/" + std::to_string(chunk) + "/0/0", "short");
  Job job = make_job(stores);
  EXPECT_THROW(make_executor(GetParam())->run(job, nullptr, {}), Error);
  for (const auto& store : {stores.target, stores.temp, stores.journal})
    EXPECT_TRUE(objects_in(*store).empty());
}

TEST_P(Executors, KeepWhatAFailedRunDidForTheNext) {
  const Stores stores = make_stores();
  const std::string chunk = read_text(*stores.source, "c/30/0/0").value();
  write_text(*stores.source, "c/30/0/0", "short");
  Job job = make_job(stores);
  try {
    make_executor(GetParam())->run(job, nullptr, {});
    FAIL() << "the damage went unnoticed";
  } catch (const Error& error) {
    EXPECT_NE(error.hint().find("finished work is kept"), std::string::npos);
  }
  EXPECT_FALSE(read_text(*stores.target, "zarr.json"));
  Job same = make_job(stores);
  EXPECT_THROW(make_executor(GetParam())->run(same, nullptr, {}), Error)
      << "a job that was planned anew goes on with old work";
  write_text(*stores.source, "c/30/0/0", chunk);
  Job loaded = Job::load(job.save(), stores);
  const Report report = make_executor(GetParam())->run(loaded, nullptr, {});
  ASSERT_EQ(report.arrays[0].found_tasks.size(), 2u);
  EXPECT_GT(report.arrays[0].found_tasks[0], 0);
  EXPECT_EQ(report.arrays[0].stages[0].counted.tasks,
            job.plan().arrays[0].stages[0].tasks);
  EXPECT_EQ(objects_in(*stores.target), testing::expected_target());
  EXPECT_TRUE(objects_in(*stores.temp).empty());
  EXPECT_TRUE(objects_in(*stores.journal).empty());
}

TEST_P(Executors, StopOnRequest) {
  const Stores stores = make_stores();
  Job job = make_job(stores);
  std::stop_source stop;
  stop.request_stop();
  try {
    make_executor(GetParam())->run(job, nullptr, stop.get_token());
    FAIL() << "it ran to the end";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  EXPECT_TRUE(objects_in(*stores.target).empty());
}

TEST_P(Executors, LeaveATargetThatExistsAlone) {
  const Stores stores = make_stores();
  write_text(*stores.target, "zarr.json", "{}");
  Job job = make_job(stores);
  EXPECT_THROW(make_executor(GetParam())->run(job, nullptr, {}), Error);
  EXPECT_EQ(objects_in(*stores.target).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(All, Executors,
                         ::testing::Values("serial", "threads"));

TEST(Executor, UnknownNamesAreRefusedWithThoseThatAre) {
  try {
    make_executor("thread");
    FAIL() << "it was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    EXPECT_EQ(error.hint(), "there are threads, serial, mpi");
  }
}

TEST(Batches, CoverTheStepOnceAndAreShort) {
  for (const std::int64_t tasks : {0, 1, 5, 63, 1000}) {
    for (const int workers : {1, 3, 64}) {
      const Step step{.tasks = {3, 1, 10, 10 + tasks}};
      std::int64_t next = step.tasks.first;
      for (const Step& batch : batches_of(step, workers)) {
        EXPECT_EQ(batch.tasks.first, next);
        EXPECT_GT(batch.tasks.stop, batch.tasks.first);
        EXPECT_LE(batch.tasks.count(), 16);
        EXPECT_EQ(batch.tasks.array, 3);
        EXPECT_EQ(batch.tasks.stage, 1);
        next = batch.tasks.stop;
      }
      EXPECT_EQ(next, step.tasks.stop);
      EXPECT_GE(static_cast<std::int64_t>(batches_of(step, workers).size()),
                std::min<std::int64_t>(tasks, workers));
    }
  }
}

TEST(Batches, RunOnceEachUntilOneFails) {
  const Stores stores = make_stores();
  Job job = make_job(stores);
  rechunk::Run run(job);
  run.prepare();
  const Step stage{.tasks = {.stop = job.plan().arrays[0].stages[0].tasks}};
  const auto batches = batches_of(stage, 2);
  ASSERT_GT(batches.size(), 3u);
  std::set<std::int64_t> firsts;
  run_batches(run, batches, {}, [&](const Step& batch, const StageReport&) {
    EXPECT_TRUE(firsts.insert(batch.tasks.first).second);
  });
  EXPECT_EQ(firsts.size(), batches.size());

  std::vector<Step> wrong(50, batches[0]);
  for (std::size_t i = 1; i < wrong.size(); ++i) wrong[i].tasks.stage = 9;
  int done = 0;
  EXPECT_THROW(run_batches(run, wrong, {},
                           [&](const Step&, const StageReport&) { ++done; }),
               Error);
  EXPECT_LE(done, 1);
}

// A group of `arrays` small arrays, each in two chunks.
std::shared_ptr<Store> make_group(int arrays) {
  const auto store = make_memory_store();
  write_text(*store, "zarr.json",
             R"({"zarr_format": 3, "node_type": "group"})");
  for (int array = 0; array < arrays; ++array) {
    const std::string name = "a" + std::to_string(1000 + array);
    write_text(*store, name + "/zarr.json", R"({
      "zarr_format": 3, "node_type": "array", "shape": [6], "fill_value": 0,
      "data_type": "uint16", "attributes": {}, "dimension_names": ["x"],
      "chunk_grid": {"name": "regular",
                     "configuration": {"chunk_shape": [3]}},
      "chunk_key_encoding": {"name": "default"},
      "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]})");
    for (const char* chunk : {"/c/0", "/c/1"})
      write_text(*store, name + chunk, std::to_string(100000 + array));
  }
  return store;
}

class Together : public ::testing::Test {
 protected:
  static constexpr int kArrays = 20;

  Together() {
    stores.source = make_group(kArrays);
    Options options;
    options.chunks = "x=2";
    job.emplace("", "", options, stores);
    run.emplace(*job);
    run->prepare();
    for (const Step& step : steps_of(job->plan()))
      if (step.kind == Step::Kind::kCopy) copies.push_back(step.tasks);
  }
  std::size_t records() const {
    std::size_t count = 0;
    stores.journal->list("done", [&](auto, auto) { ++count; });
    return count;
  }

  Stores stores = make_stores();
  std::optional<Job> job;
  std::optional<rechunk::Run> run;
  std::vector<TaskRange> copies;
};

TEST_F(Together, TasksOfManyArraysLeaveOneRecord) {
  ASSERT_EQ(copies.size(), 20U);
  run->run_together(copies);
  EXPECT_EQ(records(), 1U);
  EXPECT_TRUE(run->complete());
  const auto written = objects_in(*stores.target);
  EXPECT_EQ(written.size(), 3U * kArrays);
  for (const auto& [key, bytes] : written) stores.target->erase(key);
  run->run_together(copies);
  EXPECT_TRUE(objects_in(*stores.target).empty()) << "it ran again";
}

TEST_F(Together, WhatWasDoneBeforeAnErrorStaysDone) {
  const std::string key = "a1012/c/1";
  const std::string chunk = read_text(*stores.source, key).value();
  write_text(*stores.source, key, "?");
  try {
    run->run_together(copies);
    FAIL() << "the damage went unnoticed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a1012"), std::string::npos);
  }
  EXPECT_EQ(records(), 1U);
  EXPECT_FALSE(run->complete());
  const auto written = objects_in(*stores.target);
  for (const auto& [name, bytes] : written) stores.target->erase(name);
  write_text(*stores.source, key, chunk);
  run->run_together(copies);
  EXPECT_TRUE(run->complete());
  EXPECT_FALSE(objects_in(*stores.target).contains("a1011/c/0"));
  EXPECT_TRUE(objects_in(*stores.target).contains("a1012/c/0"));
}

TEST_F(Together, NothingRunsWhereOneIsNoTask) {
  copies.push_back({.array = kArrays});
  EXPECT_THROW(run->run_together(copies), Error);
  EXPECT_TRUE(objects_in(*stores.target).empty());
}

TEST(Tasks, ThatRunAgainAfterTheCommitDoNothingAndLeaveNothing) {
  const Stores stores = make_stores();
  Job job = make_job(stores), same = Job::load(job.save(), stores);
  rechunk::Run late(same);
  make_executor("serial")->run(job, nullptr, {});
  EXPECT_TRUE(late.committed());
  EXPECT_EQ(late.run_tasks({0, 0, 0, 2}).counted.tasks, 0);
  EXPECT_TRUE(late.commit().arrays.empty());
  EXPECT_THROW(late.prepare(), Error);  // The target exists.
  EXPECT_EQ(objects_in(*stores.target), testing::expected_target());
  EXPECT_TRUE(objects_in(*stores.temp).empty());
  EXPECT_TRUE(objects_in(*stores.journal).empty());
}

}  // namespace
}  // namespace rechunk

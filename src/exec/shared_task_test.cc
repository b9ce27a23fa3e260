// Fewer tasks than threads: idle threads take a part of what others do.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "exec/copy_testing.h"
#include "store/counting_store.h"

namespace rechunk {
namespace {

/// Notes which threads read, and lets them take their time.
class SlowStore final : public CountingStore {
 public:
  using CountingStore::CountingStore;

  void read_many(std::span<ReadRequest> asked,
                 const OnRead& on_done) const override {
    std::this_thread::sleep_for(std::chrono::microseconds(500));
    const std::lock_guard lock(mutex_);
    CountingStore::read_many(asked, on_done);
    threads_.insert(std::this_thread::get_id());
  }
  std::size_t threads() const { return threads_.size(); }

 private:
  mutable std::mutex mutex_;
  mutable std::set<std::thread::id> threads_;
};

/// What lies in a store, by key.
std::map<std::string, std::string> contents(const Store& store) {
  std::map<std::string, std::string> all;
  store.list("", [&](std::string_view key, std::int64_t) {
    all[std::string(key)] = *read_text(store, key);
  });
  return all;
}

ArrayMetadata small_chunks() {
  return parse_array_v2(
      R"({"zarr_format": 2, "shape": [40, 50], "chunks": [3, 7],
          "dtype": "<u2", "compressor": null, "filters": null,
          "fill_value": 0, "order": "C"})",
      std::nullopt);
}

ArrayMetadata one_shard() {
  return parse_array_v3(
      R"({"zarr_format": 3, "node_type": "array", "shape": [40, 50],
          "data_type": "uint16", "fill_value": 0,
          "chunk_grid": {"name": "regular",
                         "configuration": {"chunk_shape": [40, 50]}},
          "chunk_key_encoding": {"name": "default"},
          "codecs": [{"name": "sharding_indexed", "configuration": {
              "chunk_shape": [8, 10],
              "codecs": [{"name": "bytes",
                          "configuration": {"endian": "little"}},
                         {"name": "gzip", "configuration": {"level": 1}}],
              "index_codecs": [{"name": "bytes",
                                "configuration": {"endian": "little"}}]}}]})");
}

TEST(SharedTask, OneShardTakesAllThreadsAndIsTheSame) {
  Random random(1);
  const Problem problem(random, small_chunks(), one_shard());
  const Plan plan = make_plan({problem.planned}, {1 << 26, 4});
  ASSERT_EQ(plan.arrays[0].stages[0].tasks, 1);
  ASSERT_EQ(plan.threads, 4);
  const Outcome alone =
      copy(problem, make_plan({problem.planned}, {1 << 26, 1}));
  check(problem, alone);
  std::size_t threads = 0;
  for (int round = 0; round < 20 && threads < 2; ++round) {
    const auto source = std::make_shared<SlowStore>(make_memory_store());
    store_elements(source, "in", problem.source, problem.elements);
    const auto target = make_memory_store();
    IdleThreads idle;
    CopyRunner runner(
        make_copy(problem, plan, {source, target, nullptr, &idle}));
    MemoryBudget budget(plan.max_memory);
    const auto results = run_plan(plan, runner, budget, {.idle = &idle});
    expect_as_planned(results[0].stages[0], plan.arrays[0].stages[0]);
    EXPECT_EQ(contents(*target), contents(*alone.target));
    threads = source->threads();
  }
  EXPECT_GT(threads, 1U);
}

TEST(SharedTask, ErrorsOfPartsEndTheTask) {
  Random random(2);
  const Problem problem(random, small_chunks(), one_shard());
  const Plan plan = make_plan({problem.planned}, {1 << 26, 4});
  for (int round = 0; round < 20; ++round) {
    const auto source = make_memory_store();
    store_elements(source, "in", problem.source, problem.elements);
    write_text(*source, "in/5.3", "short");
    const auto target = make_memory_store();
    IdleThreads idle;
    CopyRunner runner(
        make_copy(problem, plan, {source, target, nullptr, &idle}));
    MemoryBudget budget(plan.max_memory);
    try {
      run_plan(plan, runner, budget, {.idle = &idle});
      ADD_FAILURE() << "a damaged chunk was not found";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
    }
    EXPECT_TRUE(contents(*target).empty());
  }
}

}  // namespace
}  // namespace rechunk

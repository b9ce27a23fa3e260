// What tests of copies share: problems for the planner, stores that watch, and
// comparisons of counts with plans. Only tests include this.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "exec/array_copy.h"
#include "plan/planner.h"
#include "rechunk/error.h"
#include "store/forwarding_store.h"
#include "zarr/chunks/testing.h"

namespace rechunk {

/// What the planner must know of a copy, as the job above tells it.
inline ArrayProblem problem_of(const ArrayLayout& source,
                               const ArrayLayout& target) {
  ArrayProblem problem;
  problem.shape = source.shape;
  problem.item_bytes = source.item_bytes;
  problem.source = {source.object_shape,
                    source.chunk_shape,
                    source.chunk_shape,
                    ArrayReader::unit_scratch_bytes(source),
                    ArrayReader::object_scratch_bytes(source),
                    0};
  problem.source.spare_bytes = ArrayReader::spare_bytes(source);
  problem.source.in_parts = source.codecs.empty();
  problem.source.axis_order = source.axis_order;
  problem.target = {
      target.object_shape,
      target.chunk_shape,
      target.shards.empty() ? target.chunk_shape : target.shards[0].chunk_shape,
      ArrayWriter::unit_scratch_bytes(target),
      ArrayWriter::object_scratch_bytes(target),
      0};
  return problem;
}

/// The same problem, where nothing is worth reading twice: it is staged.
inline ArrayProblem read_once(ArrayProblem problem) {
  problem.source.codec_ns_per_byte = 1e6;
  problem.source.medium.run_ns = 1e9;
  return problem;
}

/// The budget that the refusal of one byte names.
inline std::int64_t smallest_budget(const ArrayProblem& problem) {
  try {
    make_plan({problem}, {1, 1});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBudgetExceeded);
    const std::string text = error.what(), before = "at least ";
    return std::stoll(text.substr(text.find(before) + before.size()));
  }
  ADD_FAILURE() << "one byte is enough";
  return 1;
}

/// Runs the tasks of one array.
class CopyRunner final : public TaskRunner {
 public:
  explicit CopyRunner(ArrayCopy copy) : copy_(std::move(copy)) {}

  TaskResult run(int, int stage, std::int64_t task, Arena& arena) override {
    TaskResult result = copy_.run(stage, task, arena);
    EXPECT_EQ(arena.used(), 0) << "a task keeps memory";
    return result;
  }
  void release(const TaskRange& tasks) override { copy_.release(tasks); }

 private:
  const ArrayCopy copy_;
};

inline std::pair<std::int64_t, std::int64_t> listed(const Store& store) {
  std::int64_t objects = 0, bytes = 0;
  store.list("", [&](std::string_view, std::int64_t size) {
    ++objects;
    bytes += size;
  });
  return {objects, bytes};
}

inline std::int64_t listed_bytes(const Store& store) {
  return listed(store).second;
}

/// A store in memory that knows how much it held at most.
class PeakStore final : public ForwardingStore {
 public:
  PeakStore() : ForwardingStore(make_memory_store()) {}

  std::int64_t peak_objects() const { return peak_objects_; }
  std::int64_t peak_bytes() const { return peak_bytes_; }

  void write_many(std::span<WriteRequest> requests,
                  const OnWritten& on_done) override {
    Store::write_many(requests, on_done);
  }
  std::unique_ptr<ObjectWriter> open_writer(std::string_view key,
                                            std::int64_t header) override {
    return std::make_unique<Writer>(*this,
                                    ForwardingStore::open_writer(key, header));
  }

 private:
  class Writer final : public ObjectWriter {
   public:
    Writer(PeakStore& store, std::unique_ptr<ObjectWriter> writer)
        : store_(store), writer_(std::move(writer)) {}
    void append(std::span<const std::byte> bytes) override {
      writer_->append(bytes);
    }
    void commit(std::span<const std::byte> header) override {
      writer_->commit(header);
      store_.look();
    }

   private:
    PeakStore& store_;
    std::unique_ptr<ObjectWriter> writer_;
  };

  void look() {
    const std::lock_guard lock(mutex_);
    const auto [objects, bytes] = listed(*store_);
    peak_objects_ = std::max(peak_objects_, objects);
    peak_bytes_ = std::max(peak_bytes_, bytes);
  }

  std::mutex mutex_;
  std::int64_t peak_objects_ = 0, peak_bytes_ = 0;
};

/// Stores elements through the array writer.
inline void store_elements(std::shared_ptr<Store> store,
                           const std::string& path,
                           std::shared_ptr<const ArrayLayout> layout,
                           const Elements& elements) {
  MemoryBudget budget(1 << 22);
  Arena arena = budget.acquire(budget.limit());
  StageReport report;
  write_elements(
      ArrayWriter(std::move(store), path, layout, EmptyChunks::kLeaveOut),
      elements, arena, report);
}

/// What was done and what was skipped add up to the prediction.
inline void expect_as_planned(const StageReport& report, const CopySpec& plan) {
  const auto sum = [&](std::int64_t Counts::*member) {
    return report.counted.*member + report.skipped.*member;
  };
  EXPECT_EQ(report.counted.tasks, plan.tasks);
  EXPECT_EQ(sum(&Counts::objects_read), plan.objects_read);
  EXPECT_EQ(sum(&Counts::bytes_decoded), plan.bytes_decoded);
  EXPECT_EQ(sum(&Counts::objects_written), plan.objects_written);
  EXPECT_EQ(sum(&Counts::bytes_encoded), plan.bytes_encoded);
}

}  // namespace rechunk

// Between tasks and their run: tasks report their progress, and learn when to
// stop. A task may be as large as the memory, and take long.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <utility>

#include "zarr/chunks/array_reader.h"

namespace rechunk {

/// Of one run. All methods but `on_beat` may be called from any thread.
class Pulse {
 public:
  explicit Pulse(std::stop_token stop) : stop_(std::move(stop)) {}

  /// `listen` is called at every beat: it must return soon.
  void on_beat(std::function<void()> listen) { listen_ = std::move(listen); }

  /// Bytes that tasks in progress have decoded or encoded so far.
  std::int64_t bytes() const { return bytes_; }

  /// One task. When it ends, its bytes are taken back, because then its report
  /// counts them.
  class Task {
   public:
    explicit Task(Pulse* pulse) : pulse_(pulse) {}  ///< May be null.
    ~Task() {
      if (pulse_) pulse_->bytes_ -= bytes_;
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    /// After each part of the task. Throws: cancelled after a stop request.
    void beat(std::int64_t bytes);

   private:
    Pulse* const pulse_;
    std::atomic<std::int64_t> bytes_ = 0;
  };

 private:
  const std::stop_token stop_;
  std::function<void()> listen_;
  std::atomic<std::int64_t> bytes_ = 0;
};

/// Passes all parts on, with a beat for each.
class PulseSink final : public RegionSink {
 public:
  PulseSink(Pulse::Task& task, std::int64_t item_bytes, RegionSink& next)
      : task_(task), item_bytes_(item_bytes), next_(next) {}

  std::byte* place(const Region& part,
                   const std::vector<int>& axis_order) override {
    return next_.place(part, axis_order);
  }
  void put(const Region& part, const std::byte* data,
           const Shape& strides) override;
  void put_fill(const Region& part,
                std::span<const std::byte> element) override;
  std::span<std::byte> spare(const Region& region,
                             std::int64_t bytes) override {
    return next_.spare(region, bytes);
  }

 private:
  Pulse::Task& task_;
  const std::int64_t item_bytes_;
  RegionSink& next_;
};

}  // namespace rechunk

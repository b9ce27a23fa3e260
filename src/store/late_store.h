// A store that serves several requests at a time, and answers in any order.
// Only tests include this.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "store/forwarding_store.h"

namespace rechunk {

class LateStore final : public ForwardingStore {
 public:
  LateStore(std::shared_ptr<Store> store, int requests, std::uint64_t seed)
      : ForwardingStore(std::move(store)), requests_(requests), random_(seed) {}

  Medium medium() const override {
    return {.requests = requests_, .latency_seconds = 0.05, .is_remote = true};
  }
  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    in_any_order(requests, on_done,
                 [&](ReadRequest& request) { store_->read_one(request); });
  }
  void write_many(std::span<WriteRequest> requests,
                  const OnWritten& on_done) override {
    in_any_order(requests, on_done, [&](WriteRequest& request) {
      store_->write_many({&request, 1}, nullptr);
    });
  }

  /// The most requests that one call had in flight.
  std::size_t most() const { return most_; }

 private:
  template <class Request, class Done, class Run>
  void in_any_order(std::span<Request> requests, const Done& on_done,
                    const Run& run) const {
    std::vector<Request*> pending;
    for (Request& request : requests) pending.push_back(&request);
    while (!pending.empty()) {
      const std::size_t next = draw(pending.size());
      run(*pending[next]);
      if (on_done && on_done(*pending[next])) continue;
      std::swap(pending[next], pending.back());
      pending.pop_back();
    }
  }
  std::size_t draw(std::size_t count) const {
    const std::lock_guard lock(mutex_);
    most_ = std::max(most_, count);
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }

  const int requests_;
  mutable std::mutex mutex_;
  mutable std::mt19937_64 random_;
  mutable std::size_t most_ = 0;
};

}  // namespace rechunk

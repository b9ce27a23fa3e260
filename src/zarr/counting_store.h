// A store that counts what is asked of another. Only tests include this.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "rechunk/store.h"

namespace rechunk {

/// Used by one thread.
class CountingStore : public Store {
 public:
  explicit CountingStore(std::shared_ptr<Store> store)
      : store_(std::move(store)) {}

  void read_many(std::span<ReadRequest> all) const override {
    store_->read_many(all);
    requests += static_cast<std::int64_t>(all.size());
    for (const ReadRequest& request : all) bytes += request.bytes_read;
  }
  std::unique_ptr<ObjectWriter> open_writer(std::string_view key,
                                            std::int64_t header) override {
    return store_->open_writer(key, header);
  }
  bool create_if_absent(std::string_view key,
                        std::span<const std::byte> data) override {
    return store_->create_if_absent(key, data);
  }
  bool erase(std::string_view key) override { return store_->erase(key); }
  void list(std::string_view prefix,
            const std::function<void(std::string_view, std::int64_t)>& visit)
      const override {
    store_->list(prefix, visit);
  }
  std::string describe(std::string_view key) const override {
    return "/data/" + std::string(key);
  }

  mutable std::int64_t requests = 0;  ///< Of reading.
  mutable std::int64_t bytes = 0;     ///< That were read.

 private:
  std::shared_ptr<Store> store_;
};

}  // namespace rechunk

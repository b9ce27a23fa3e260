// A store that passes everything on to another: derived stores watch or change
// some of it.
#pragma once

#include <memory>
#include <utility>

#include "rechunk/store.h"

namespace rechunk {

class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(std::shared_ptr<Store> store)
      : store_(std::move(store)) {}

  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    store_->read_many(requests, on_done);
  }
  Medium medium() const override { return store_->medium(); }
  std::unique_ptr<ObjectWriter> open_writer(std::string_view key,
                                            std::int64_t header) override {
    return store_->open_writer(key, header);
  }
  void write_many(std::span<WriteRequest> requests,
                  const OnWritten& on_done) override {
    store_->write_many(requests, on_done);
  }
  bool create_if_absent(std::string_view key,
                        std::span<const std::byte> bytes) override {
    return store_->create_if_absent(key, bytes);
  }
  bool erase(std::string_view key) override { return store_->erase(key); }
  void erase_many(std::span<const std::string> keys) override {
    store_->erase_many(keys);
  }
  void drop_unfinished(std::string_view key) override {
    store_->drop_unfinished(key);
  }
  void remove_unfinished(Writers writers) override {
    store_->remove_unfinished(writers);
  }
  std::optional<std::int64_t> free_bytes() const override {
    return store_->free_bytes();
  }
  void sync() override { store_->sync(); }
  bool can_list() const override { return store_->can_list(); }
  void scan(std::string_view prefix, const VisitListed& visit) const override {
    store_->scan(prefix, visit);
  }
  std::string describe(std::string_view key) const override {
    return store_->describe(key);
  }
  std::vector<std::string> reads_from() const override {
    return store_->reads_from();
  }
  std::shared_ptr<Store> below(std::string_view key) const override {
    return store_->below(key);
  }
  std::shared_ptr<Store> above() const override { return store_->above(); }

 protected:
  const std::shared_ptr<Store> store_;
};

}  // namespace rechunk

// A prefix of a bucket as a store: what object stores of all makers share.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "store/bucket.h"
#include "store/remote_reads.h"

namespace rechunk {

class BucketStore final : public Store, private RemoteObjects {
 public:
  /// `root`: without "/" at its ends; "" is the whole bucket.
  BucketStore(std::shared_ptr<Bucket> bucket, std::string root)
      : bucket_(std::move(bucket)), root_(std::move(root)) {}

  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override;
  Medium medium() const override;
  std::unique_ptr<ObjectWriter> open_writer(std::string_view key,
                                            std::int64_t header_bytes) override;
  void write_many(std::span<WriteRequest> requests,
                  const OnWritten& on_done) override;
  bool create_if_absent(std::string_view key,
                        std::span<const std::byte> bytes) override;
  bool erase(std::string_view key) override;
  void erase_many(std::span<const std::string> keys) override;
  void remove_unfinished(Writers writers) override;
  void scan(std::string_view prefix, const VisitListed& visit) const override;
  std::string describe(std::string_view key) const override;
  std::shared_ptr<Store> below(std::string_view key) const override;
  std::shared_ptr<Store> above() const override;

 private:
  std::string full(std::string_view key) const;

  // RemoteObjects, whose keys are those of the store.
  std::string target(std::string_view key) const override;
  http::Transfer size_question(std::string_view key) const override;
  bool is_absent(const http::Answer& answer) const override;
  std::int64_t size_beside_range(const http::Answer& answer) const override;
  Error error(std::string_view action, std::string_view key,
              const http::Answer& answer) const override;

  const std::shared_ptr<Bucket> bucket_;
  const std::string root_;
};

}  // namespace rechunk

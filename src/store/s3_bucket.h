// The requests of S3 for the objects of a bucket. Parts: s3_error.cc,
// s3_listing, s3_writer, s3_upload.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/bucket.h"
#include "store/s3_place.h"

namespace rechunk {

/// All methods may be called from any thread.
class S3Bucket final : public Bucket {
 public:
  explicit S3Bucket(const S3Place& place);

  /// "/a%20b?uploads"; without a key it is of the bucket.
  std::string target_with(std::string_view key, std::string_view query) const;

  // Bucket
  std::string target(std::string_view key) const override {
    return target_with(key, {});
  }
  bool is_absent(const http::Answer& answer) const override;
  std::int64_t size_beside_range(const http::Answer& answer) const override;
  std::string describe(std::string_view key) const override;
  /// "action s3://bucket/key: what the server says", with a hint.
  Error error(std::string_view action, std::string_view key,
              const http::Answer& answer) const override;
  http::Transfer put(std::string_view key, Spans body,
                     bool if_free) const override;
  http::Transfer first_page(std::string_view prefix) const override;
  void list(std::string_view prefix, const VisitListed& visit,
            const http::Transfer& first) override;
  std::unique_ptr<ObjectWriter> open_writer(std::string key,
                                            std::int64_t header_bytes) override;
  std::int64_t writer_bytes() const override;
  void end_uploads(std::string_view prefix) override;

 private:
  const S3Place place_;
};

}  // namespace rechunk

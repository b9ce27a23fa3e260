// An upload in parts: how S3 takes objects that are larger than one request.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "store/s3_bucket.h"

namespace rechunk {

/// Begins with the first part, and is aborted if it was not completed when it
/// is destroyed. Used by one thread.
class S3PartsUpload {
 public:
  S3PartsUpload(std::shared_ptr<S3Bucket> bucket, std::string key)
      : bucket_(std::move(bucket)), key_(std::move(key)) {}
  ~S3PartsUpload();
  S3PartsUpload(const S3PartsUpload&) = delete;
  S3PartsUpload& operator=(const S3PartsUpload&) = delete;

  bool has_begun() const { return !id_.empty(); }
  /// Sends parts, several at a time; their numbers rise from `first`.
  /// Throws: io, unsupported (too many parts).
  void send(int first, const std::vector<Spans>& parts);
  /// Makes the object of all parts visible. Throws: io.
  void complete();

 private:
  void begin();
  bool was_completed() const;

  const std::shared_ptr<S3Bucket> bucket_;
  const std::string key_;
  std::string id_;
  std::map<int, std::string> tags_;  ///< By number of the part.
};

}  // namespace rechunk

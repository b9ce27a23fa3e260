// Writes one object of S3: at once if it is small, else as an upload in parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rechunk/store.h"
#include "store/s3_bucket.h"
#include "store/s3_upload.h"

namespace rechunk {

/// What a writer holds: one part; with a header the first one and one more,
/// each as short as S3 allows.
constexpr std::int64_t kS3WriterBytes = 10 << 20;

class S3Writer final : public ObjectWriter {
 public:
  S3Writer(std::shared_ptr<S3Bucket> bucket, std::string key,
           std::int64_t header_bytes);
  void append(std::span<const std::byte> bytes) override;
  void commit(std::span<const std::byte> header) override;

 private:
  void send_whole_parts(std::span<const std::byte>& bytes);

  const std::shared_ptr<S3Bucket> bucket_;
  const std::string key_;
  const std::size_t header_bytes_;
  const std::size_t part_bytes_;
  /// The first part begins with the header, so it is sent last.
  const std::size_t first_room_;
  std::vector<std::byte> first_, buffer_;
  int next_part_;
  S3PartsUpload upload_;
};

}  // namespace rechunk

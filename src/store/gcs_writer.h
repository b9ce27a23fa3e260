// Writes one object of Google's store: at once if it is small, else as an
// upload. What an upload writes cannot begin with bytes that are known last.
// So an object with a header is joined from two objects, which are then erased.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rechunk/store.h"
#include "store/gcs_bucket.h"
#include "store/gcs_upload.h"

namespace rechunk {

constexpr std::int64_t kGcsWriterBytes = 8 << 20;

class GcsWriter final : public ObjectWriter {
 public:
  GcsWriter(std::shared_ptr<GcsBucket> bucket, std::string key,
            std::int64_t header_bytes);
  ~GcsWriter() override;
  void append(std::span<const std::byte> bytes) override;
  void commit(std::span<const std::byte> header) override;

 private:
  void put(const std::string& key, Spans body);

  const std::shared_ptr<GcsBucket> bucket_;
  const std::string key_;
  const std::size_t header_bytes_;
  const std::string body_key_;      ///< What the upload writes.
  std::vector<std::string> parts_;  ///< Objects that are to be erased.
  std::vector<std::byte> buffer_;
  GcsUpload upload_;
};

}  // namespace rechunk

// An upload that goes on from request to request, each with the next bytes: how
// Google's store takes large objects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "store/gcs_bucket.h"

namespace rechunk {

/// Given up if it was not finished when it is destroyed. Used by one thread.
class GcsUpload {
 public:
  /// All but the last bytes come in multiples of this.
  static constexpr std::size_t kUnit = 256 << 10;

  GcsUpload(std::shared_ptr<GcsBucket> bucket, std::string key)
      : bucket_(std::move(bucket)), key_(std::move(key)) {}
  ~GcsUpload();
  GcsUpload(const GcsUpload&) = delete;
  GcsUpload& operator=(const GcsUpload&) = delete;

  bool has_begun() const { return !session_.empty(); }
  /// Throws: io, corrupt.
  void send(std::span<const std::byte> bytes) { send(bytes, false); }
  /// Makes the object visible. Throws: as above.
  void finish(std::span<const std::byte> bytes) { send(bytes, true); }

 private:
  void begin();
  void send(std::span<const std::byte> bytes, bool is_last);
  void check_size(http::Answer& answer, std::int64_t end) const;
  std::int64_t kept_bytes(const http::Answer& answer, std::int64_t end) const;

  const std::shared_ptr<GcsBucket> bucket_;
  const std::string key_;
  std::string session_;  ///< The target of its requests.
  std::int64_t sent_ = 0;
};

}  // namespace rechunk

// A bucket, and what all stores in it share: the client with its connections,
// credentials and what was learned about the server. Keys are those of the
// bucket. Part: s3_error.cc.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "http/client.h"
#include "store/remote_reads.h"
#include "store/s3_place.h"
#include "store/s3_service.h"

namespace rechunk {

/// HTTP's status for an object that does not exist.
inline constexpr int kNotThere = 404;

/// All methods may be called from any thread.
class S3Bucket {
 public:
  explicit S3Bucket(const S3Place& place);

  http::Client& client() { return client_; }
  int requests() const { return place_.requests; }

  /// "/a%20b?uploads"; without a key it is of the bucket.
  std::string target(std::string_view key, std::string_view query = {}) const;
  std::string describe(std::string_view key) const;

  /// Runs a transfer, and checks it.
  void run(http::Transfer& transfer, std::string_view action,
           std::string_view key, int allowed_status = 0);

  /// Throws: as `error`, unless it succeeded or has that status.
  void check(const http::Transfer& transfer, std::string_view action,
             std::string_view key, int allowed_status = 0) const;

  /// "action s3://bucket/key: what the server says", with a hint.
  Error error(std::string_view action, std::string_view key,
              const http::Answer& answer) const;

  /// Writes the object if the key is free, else returns false. Throws:
  /// unsupported (the server has no such condition).
  bool create(std::string_view key, std::span<const std::byte> bytes);

 private:
  bool holds(std::string_view key, std::span<const std::byte> bytes);
  [[noreturn]] void refuse_conditions(std::string_view key);

  const S3Place place_;
  http::Client client_;
  std::atomic<bool> has_conditions_{false};  ///< Known only if true.
};

}  // namespace rechunk

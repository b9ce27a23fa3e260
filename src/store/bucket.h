// A bucket of an object store: the client with its connections, and the
// requests of one maker's protocol (s3_bucket.h, gcs_bucket.h). Keys are those
// of the bucket.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/client.h"
#include "rechunk/store.h"
#include "store/remote_reads.h"

namespace rechunk {

using Spans = std::vector<std::span<const std::byte>>;

/// HTTP's status for an object that does not exist, and for a key that is
/// taken.
inline constexpr int kNotThere = 404, kTaken = 412;

/// All methods may be called from any thread.
class Bucket : public RemoteObjects,
               public std::enable_shared_from_this<Bucket> {
 public:
  Bucket(http::Settings settings, std::shared_ptr<const http::Service> service)
      : client_(std::move(settings), std::move(service)) {}

  http::Client& client() { return client_; }
  virtual std::string describe(std::string_view key) const = 0;

  /// A request that writes a whole object. `if_free`: the server answers
  /// `kTaken` if there is one.
  virtual http::Transfer put(std::string_view key, Spans body,
                             bool if_free) const = 0;
  virtual http::Transfer removal(std::string_view key) const {
    return {.method = "DELETE", .target = target(key)};
  }

  /// The request for the first page of a listing.
  virtual http::Transfer first_page(std::string_view prefix) const = 0;
  /// Calls `visit` for each object whose key starts with `prefix`, with its
  /// whole key, until it returns false. Objects whose names end with "/" are
  /// marks for folders, which no store of rechunk has; they are passed over.
  /// `first`: the first page, which was asked for already.
  /// Throws: io, corrupt (an answer that makes no sense).
  virtual void list(std::string_view prefix, const VisitListed& visit,
                    const http::Transfer& first) = 0;

  virtual std::unique_ptr<ObjectWriter> open_writer(
      std::string key, std::int64_t header_bytes) = 0;
  /// Memory of such a writer.
  virtual std::int64_t writer_bytes() const = 0;
  /// Ends uploads that nobody completed. Throws: io.
  virtual void end_uploads(std::string_view prefix) = 0;

  /// Runs a transfer, and checks it.
  void run(http::Transfer& transfer, std::string_view action,
           std::string_view key, int allowed_status = 0);

  /// Throws: as `error`, unless it succeeded or has that status.
  void check(const http::Transfer& transfer, std::string_view action,
             std::string_view key, int allowed_status = 0) const;

  /// Writes the object if the key is free, else returns false. Throws:
  /// unsupported (the server has no such condition).
  bool create(std::string_view key, std::span<const std::byte> bytes);

 private:
  bool holds(std::string_view key, std::span<const std::byte> bytes);
  [[noreturn]] void refuse_conditions(std::string_view key);

  http::Client client_;
  std::atomic<bool> has_conditions_{false};  ///< Known only if true.
};

}  // namespace rechunk

// The requests of Google Cloud Storage for the objects of a bucket: its JSON
// API. Parts: gcs_error.cc, gcs_writer, gcs_upload.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/bucket.h"
#include "store/gcs_place.h"

namespace rechunk {

/// All methods may be called from any thread.
class GcsBucket final : public Bucket {
 public:
  explicit GcsBucket(const GcsPlace& place);

  /// Where objects are written: "/upload/...?uploadType=TYPE&name=KEY".
  std::string upload_target(std::string_view key, std::string_view type) const;
  /// Writes an object that has the bytes of others, in their order.
  void join(const std::vector<std::string>& sources, std::string_view key);

  // Bucket
  std::string target(std::string_view key) const override;
  http::Transfer removal(std::string_view key) const override;
  http::Transfer size_question(std::string_view key) const override;
  bool is_absent(const http::Answer& answer) const override;
  std::string describe(std::string_view key) const override;
  /// "action gs://bucket/key: what the server says", with a hint.
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
  std::string object_target(std::string_view key) const;
  /// As `list`, also with objects that are not finished.
  void list_all(std::string_view prefix, const VisitListed& visit,
                const http::Transfer& first);

  const GcsPlace place_;
};

}  // namespace rechunk

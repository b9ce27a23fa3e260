#include "store/s3_bucket.h"

#include <utility>
#include <vector>

#include "http/url_text.h"
#include "store/s3_listing.h"
#include "store/s3_service.h"
#include "store/s3_writer.h"

namespace rechunk {

S3Bucket::S3Bucket(const S3Place& place)
    : Bucket({.requests = place.requests, .ca_bundle = place.ca_bundle},
             std::make_shared<S3Service>(place)),
      place_(place) {}

std::string S3Bucket::target_with(std::string_view key,
                                  std::string_view query) const {
  std::string text = "/" + http::percent_encoded(key, true);
  if (!query.empty()) text += "?" + std::string(query);
  return text;
}

std::string S3Bucket::describe(std::string_view key) const {
  return std::string(kS3Scheme) + place_.bucket +
         (key.empty() ? "" : "/" + std::string(key));
}

// A bucket that is missing is not an object that is missing.
bool S3Bucket::is_absent(const http::Answer& answer) const {
  if (answer.status != kNotThere || !answer.failure.empty()) return false;
  return answer.text.empty() || parse_s3_failure(answer).code == "NoSuchKey";
}

std::int64_t S3Bucket::size_beside_range(const http::Answer& answer) const {
  return answer.object_bytes >= 0 ? answer.object_bytes
                                  : parse_s3_failure(answer).object_bytes;
}

http::Transfer S3Bucket::put(std::string_view key, Spans body,
                             bool if_free) const {
  http::Transfer transfer{
      .method = "PUT", .target = target(key), .body = std::move(body)};
  if (if_free) transfer.headers = {{"If-None-Match", "*"}};
  return transfer;
}

http::Transfer S3Bucket::first_page(std::string_view prefix) const {
  return first_s3_page(*this, prefix);
}

void S3Bucket::list(std::string_view prefix, const VisitListed& visit,
                    const http::Transfer& first) {
  list_s3_objects(*this, prefix, visit, first);
}

std::unique_ptr<ObjectWriter> S3Bucket::open_writer(std::string key,
                                                    std::int64_t header_bytes) {
  return std::make_unique<S3Writer>(
      std::static_pointer_cast<S3Bucket>(shared_from_this()), std::move(key),
      header_bytes);
}

std::int64_t S3Bucket::writer_bytes() const { return kS3WriterBytes; }

// A page of uploads at a time, until none is left or the same one comes back.
void S3Bucket::end_uploads(std::string_view prefix) {
  std::string last;
  for (;;) {
    const std::vector<S3Upload> uploads = s3_uploads(*this, prefix);
    if (uploads.empty() || uploads.front().id == last) return;
    last = uploads.front().id;
    for (const S3Upload& upload : uploads) abort_s3_upload(*this, upload);
  }
}

}  // namespace rechunk

#include "store/s3_store.h"

#include <deque>
#include <utility>

#include "store/remote_reads.h"
#include "store/s3_bucket.h"
#include "store/s3_listing.h"
#include "store/s3_writer.h"

namespace rechunk {
namespace {

class S3Store final : public Store, private RemoteObjects {
 public:
  S3Store(std::shared_ptr<S3Bucket> bucket, std::string root)
      : bucket_(std::move(bucket)), root_(std::move(root)) {}

  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    read_remote(bucket_->client(), *this, requests, on_done);
  }
  Medium medium() const override {
    return {.requests = bucket_->requests(),
            .latency_seconds = 0.03,
            .bytes_per_second = 250e6,
            .writer_bytes = kS3WriterBytes,
            .is_remote = true};
  }
  std::unique_ptr<ObjectWriter> open_writer(
      std::string_view key, std::int64_t header_bytes) override {
    return std::make_unique<S3Writer>(bucket_, full(key), header_bytes);
  }
  void write_many(std::span<WriteRequest> requests,
                  const OnWritten& on_done) override;
  bool create_if_absent(std::string_view key,
                        std::span<const std::byte> bytes) override {
    return bucket_->create(full(key), bytes);
  }
  void erase_many(std::span<const std::string> keys) override;
  void remove_unfinished(Writers writers) override;
  // S3 does not say whether there was one.
  bool erase(std::string_view key) override {
    http::Transfer transfer{.method = "DELETE", .target = target(key)};
    bucket_->run(transfer, "erasing", full(key), kNotThere);
    return transfer.answer.status != kNotThere;
  }
  void scan(std::string_view prefix, const VisitListed& visit) const override;
  std::string describe(std::string_view key) const override {
    return bucket_->describe(join_key(root_, key));
  }
  std::shared_ptr<Store> below(std::string_view key) const override {
    return std::make_shared<S3Store>(bucket_, join_key(root_, key));
  }
  std::shared_ptr<Store> above() const override {
    if (root_.empty()) return nullptr;
    const auto slash = root_.rfind('/');
    return std::make_shared<S3Store>(
        bucket_, slash == std::string::npos ? "" : root_.substr(0, slash));
  }

 private:
  std::string full(std::string_view key) const;
  void start(http::Batch& batch, http::Transfer& transfer,
             const WriteRequest& request) const;

  // RemoteObjects
  std::string target(std::string_view key) const override {
    return bucket_->target(full(key));
  }
  bool is_absent(const http::Answer& answer) const override;
  std::int64_t size_beside_range(const http::Answer& answer) const override {
    return answer.object_bytes >= 0 ? answer.object_bytes
                                    : parse_s3_failure(answer).object_bytes;
  }
  Error error(std::string_view action, std::string_view key,
              const http::Answer& answer) const override {
    return bucket_->error(action, join_key(root_, key), answer);
  }

  const std::shared_ptr<S3Bucket> bucket_;
  const std::string root_;
};

// Servers that keep objects as files would leave the prefix with "..".
std::string S3Store::full(std::string_view key) const {
  const std::string between = "/" + std::string(key) + "/";
  const bool is_sound = between.find("//") == std::string::npos &&
                        between.find("/./") == std::string::npos &&
                        between.find("/../") == std::string::npos &&
                        key.find('\0') == std::string_view::npos;
  if (!is_sound)
    throw Error(ErrorKind::kInvalidArgument,
                describe("") + ": the key \"" + std::string(key) +
                    "\" leaves the store, or is none");
  return join_key(root_, key);
}

// A bucket that is missing is not an object that is missing.
bool S3Store::is_absent(const http::Answer& answer) const {
  if (answer.status != kNotThere || !answer.failure.empty()) return false;
  return answer.text.empty() || parse_s3_failure(answer).code == "NoSuchKey";
}

void S3Store::start(http::Batch& batch, http::Transfer& transfer,
                    const WriteRequest& request) const {
  transfer.method = "PUT";
  transfer.target = target(request.key);
  transfer.body = {request.bytes};
  batch.start(transfer);
}

void S3Store::write_many(std::span<WriteRequest> requests,
                         const OnWritten& on_done) {
  std::deque<http::Transfer> transfers(requests.size());
  http::Batch batch(bucket_->client());
  for (std::size_t at = 0; at < requests.size(); ++at) {
    transfers[at].number = at;
    start(batch, transfers[at], requests[at]);
  }
  while (http::Transfer* done = batch.next()) {
    WriteRequest& request = requests[done->number];
    if (!done->answer.failure.empty() || done->answer.status != 200)
      throw error("writing", request.key, done->answer);
    if (on_done && on_done(request)) start(batch, *done, request);
  }
}

// All at a time: a request for many keys needs a checksum that servers differ
// about.
void S3Store::erase_many(std::span<const std::string> keys) {
  std::deque<http::Transfer> transfers(keys.size());
  http::Batch batch(bucket_->client());
  for (std::size_t at = 0; at < keys.size(); ++at) {
    transfers[at].method = "DELETE";
    transfers[at].target = target(keys[at]);
    transfers[at].number = at;
    batch.start(transfers[at]);
  }
  while (http::Transfer* done = batch.next()) {
    const http::Answer& answer = done->answer;
    const bool is_gone =
        answer.failure.empty() &&
        (answer.status == kNotThere || answer.status / 100 == 2);
    if (!is_gone) throw error("erasing", keys[done->number], answer);
  }
}

// A page of uploads at a time, until none is left or the same one comes back.
// Nobody can tell from a bucket who writes elsewhere.
void S3Store::remove_unfinished(Writers writers) {
  if (writers != Writers::kNobody) return;
  const std::string prefix = root_.empty() ? "" : root_ + "/";
  std::string last;
  for (;;) {
    const std::vector<S3Upload> uploads = s3_uploads(*bucket_, prefix);
    if (uploads.empty() || uploads.front().id == last) return;
    last = uploads.front().id;
    for (const S3Upload& upload : uploads) abort_s3_upload(*bucket_, upload);
  }
}

void S3Store::scan(std::string_view prefix, const VisitListed& visit) const {
  const std::string whole = join_key(root_, prefix);
  const std::string below = whole.empty() ? "" : whole + "/";
  const std::size_t skipped = root_.empty() ? 0 : root_.size() + 1;
  // Two questions at once: keys that start with "a" are not below "a".
  http::Transfer page = first_s3_page(*bucket_, below);
  http::Transfer itself{.method = "HEAD", .target = bucket_->target(whole)};
  http::Batch batch(bucket_->client());
  batch.start(page);
  if (!prefix.empty()) batch.start(itself);
  while (batch.next()) {
  }
  bucket_->check(page, "listing", below);
  if (!prefix.empty() && !is_absent(itself.answer)) {
    bucket_->check(itself, "reading", whole);
    if (!visit(prefix, itself.answer.object_bytes)) return;
  }
  list_s3_objects(
      *bucket_, below,
      [&](std::string_view key, std::int64_t bytes) {
        return visit(key.substr(skipped), bytes);
      },
      &page);
}

}  // namespace

std::shared_ptr<Store> open_s3(const std::string& url,
                               const StorageOptions& options) {
  const S3Place place = parse_s3_place(url, options);
  return std::make_shared<S3Store>(std::make_shared<S3Bucket>(place),
                                   place.root);
}

}  // namespace rechunk

#include "store/bucket_store.h"

#include <deque>

namespace rechunk {

void BucketStore::read_many(std::span<ReadRequest> requests,
                            const OnRead& on_done) const {
  read_remote(bucket_->client(), *this, requests, on_done);
}

Medium BucketStore::medium() const {
  return {.requests = bucket_->client().settings().requests,
          .latency_seconds = 0.03,
          .bytes_per_second = 250e6,
          .writer_bytes = bucket_->writer_bytes(),
          .is_remote = true};
}

std::unique_ptr<ObjectWriter> BucketStore::open_writer(
    std::string_view key, std::int64_t header_bytes) {
  return bucket_->open_writer(full(key), header_bytes);
}

bool BucketStore::create_if_absent(std::string_view key,
                                   std::span<const std::byte> bytes) {
  return bucket_->create(full(key), bytes);
}

// Not all servers say whether there was one.
bool BucketStore::erase(std::string_view key) {
  http::Transfer transfer = bucket_->removal(full(key));
  bucket_->run(transfer, "erasing", full(key), kNotThere);
  return transfer.answer.status != kNotThere;
}

std::string BucketStore::describe(std::string_view key) const {
  return bucket_->describe(join_key(root_, key));
}

std::shared_ptr<Store> BucketStore::below(std::string_view key) const {
  return std::make_shared<BucketStore>(bucket_, join_key(root_, key));
}

std::shared_ptr<Store> BucketStore::above() const {
  if (root_.empty()) return nullptr;
  const auto slash = root_.rfind('/');
  return std::make_shared<BucketStore>(
      bucket_, slash == std::string::npos ? "" : root_.substr(0, slash));
}

// Servers that keep objects as files would leave the prefix with "..".
std::string BucketStore::full(std::string_view key) const {
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

std::string BucketStore::target(std::string_view key) const {
  return bucket_->target(full(key));
}

http::Transfer BucketStore::size_question(std::string_view key) const {
  return bucket_->size_question(full(key));
}

bool BucketStore::is_absent(const http::Answer& answer) const {
  return bucket_->is_absent(answer);
}

std::int64_t BucketStore::size_beside_range(const http::Answer& answer) const {
  return bucket_->size_beside_range(answer);
}

Error BucketStore::error(std::string_view action, std::string_view key,
                         const http::Answer& answer) const {
  return bucket_->error(action, join_key(root_, key), answer);
}

void BucketStore::write_many(std::span<WriteRequest> requests,
                             const OnWritten& on_done) {
  std::deque<http::Transfer> transfers(requests.size());
  http::Batch batch(bucket_->client());
  const auto start = [&](std::size_t at) {
    const WriteRequest& request = requests[at];
    transfers[at] = bucket_->put(full(request.key), {request.bytes}, false);
    transfers[at].number = at;
    batch.start(transfers[at]);
  };
  for (std::size_t at = 0; at < requests.size(); ++at) start(at);
  while (const http::Transfer* done = batch.next()) {
    WriteRequest& request = requests[done->number];
    if (!done->answer.failure.empty() || done->answer.status != 200)
      throw error("writing", request.key, done->answer);
    if (on_done && on_done(request)) start(done->number);
  }
}

// All at a time: a request for many keys needs a checksum that servers differ
// about.
void BucketStore::erase_many(std::span<const std::string> keys) {
  std::deque<http::Transfer> transfers(keys.size());
  http::Batch batch(bucket_->client());
  for (std::size_t at = 0; at < keys.size(); ++at) {
    transfers[at] = bucket_->removal(full(keys[at]));
    transfers[at].number = at;
    batch.start(transfers[at]);
  }
  while (const http::Transfer* done = batch.next())
    bucket_->check(*done, "erasing", full(keys[done->number]), kNotThere);
}

// Nobody can tell from a bucket who writes elsewhere.
void BucketStore::remove_unfinished(Writers writers) {
  if (writers != Writers::kNobody) return;
  bucket_->end_uploads(root_.empty() ? "" : root_ + "/");
}

void BucketStore::scan(std::string_view prefix,
                       const VisitListed& visit) const {
  const std::string whole = join_key(root_, prefix);
  const std::string below = whole.empty() ? "" : whole + "/";
  const std::size_t skipped = root_.empty() ? 0 : root_.size() + 1;
  // Two questions at once: keys that start with "a" are not below "a".
  http::Transfer page = bucket_->first_page(below);
  http::Transfer itself = bucket_->size_question(whole);
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
  bucket_->list(
      below,
      [&](std::string_view key, std::int64_t bytes) {
        return visit(key.substr(skipped), bytes);
      },
      page);
}

}  // namespace rechunk

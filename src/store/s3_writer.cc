#include "store/s3_writer.h"

#include <algorithm>
#include <utility>

#include "store/part_buffer.h"

namespace rechunk {
namespace {

constexpr std::size_t kShortestPart = 5 << 20;  // S3 takes no shorter ones.

}  // namespace

S3Writer::S3Writer(std::shared_ptr<S3Bucket> bucket, std::string key,
                   std::int64_t header_bytes)
    : bucket_(std::move(bucket)),
      key_(std::move(key)),
      header_bytes_(static_cast<std::size_t>(header_bytes)),
      part_bytes_(header_bytes > 0 ? kShortestPart
                                   : static_cast<std::size_t>(kS3WriterBytes)),
      first_room_(header_bytes > 0
                      ? kShortestPart - std::min(kShortestPart, header_bytes_)
                      : 0),
      next_part_(header_bytes > 0 ? 2 : 1),
      upload_(bucket_, key_) {}

void S3Writer::append(std::span<const std::byte> bytes) {
  fill_part(first_, first_room_, bytes);
  while (!bytes.empty()) {
    if (buffer_.empty()) send_whole_parts(bytes);
    fill_part(buffer_, part_bytes_, bytes);
    // A full buffer waits: the object may end here, and fit into one request.
    if (bytes.empty()) return;
    upload_.send(next_part_++, {{buffer_}});
    buffer_.clear();
  }
}

// Straight from the caller's memory, all at a time. Not the last one, which is
// kept for `commit`.
void S3Writer::send_whole_parts(std::span<const std::byte>& bytes) {
  std::vector<Spans> parts;
  while (bytes.size() > part_bytes_) {
    parts.push_back({bytes.first(part_bytes_)});
    bytes = bytes.subspan(part_bytes_);
  }
  if (parts.empty()) return;
  upload_.send(next_part_, parts);
  next_part_ += static_cast<int>(parts.size());
}

void S3Writer::commit(std::span<const std::byte> header) {
  if (header.size() != header_bytes_)
    throw Error(ErrorKind::kInternal, "writing " + bucket_->describe(key_) +
                                          ": a header of another length");
  if (!upload_.has_begun()) {
    http::Transfer transfer =
        bucket_->put(key_, {header, first_, buffer_}, false);
    bucket_->run(transfer, "writing", key_);
    return;
  }
  if (!buffer_.empty()) upload_.send(next_part_++, {{buffer_}});
  if (header_bytes_ > 0) upload_.send(1, {{header, first_}});
  upload_.complete();
}

}  // namespace rechunk

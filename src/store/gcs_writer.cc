#include "store/gcs_writer.h"

#include <utility>

#include "store/part_buffer.h"
#include "store/partial_files.h"

namespace rechunk {

GcsWriter::GcsWriter(std::shared_ptr<GcsBucket> bucket, std::string key,
                     std::int64_t header_bytes)
    : bucket_(std::move(bucket)),
      key_(std::move(key)),
      header_bytes_(static_cast<std::size_t>(header_bytes)),
      body_key_(header_bytes > 0 ? PartialFiles::name_beside(key_) : key_),
      upload_(bucket_, body_key_) {}

GcsWriter::~GcsWriter() {
  for (const std::string& part : parts_) {
    try {
      http::Transfer transfer = bucket_->removal(part);
      bucket_->client().run(transfer);
    } catch (const Error&) {
      // `remove_unfinished` finds what is left.
    }
  }
}

void GcsWriter::append(std::span<const std::byte> bytes) {
  constexpr auto kRoom = static_cast<std::size_t>(kGcsWriterBytes);
  while (!bytes.empty()) {
    if (buffer_.empty() && bytes.size() > kRoom) {
      // Straight from the caller's memory; not the last ones, which are kept
      // for `commit`.
      const std::size_t whole =
          (bytes.size() - 1) / GcsUpload::kUnit * GcsUpload::kUnit;
      upload_.send(bytes.first(whole));
      bytes = bytes.subspan(whole);
    }
    fill_part(buffer_, kRoom, bytes);
    // A full buffer waits: the object may end here, and fit into one request.
    if (bytes.empty()) return;
    upload_.send(buffer_);
    buffer_.clear();
  }
}

void GcsWriter::put(const std::string& key, Spans body) {
  http::Transfer transfer = bucket_->put(key, std::move(body), false);
  bucket_->run(transfer, "writing", key_);
}

void GcsWriter::commit(std::span<const std::byte> header) {
  if (header.size() != header_bytes_)
    throw Error(ErrorKind::kInternal, "writing " + bucket_->describe(key_) +
                                          ": a header of another length");
  if (!upload_.has_begun()) return put(key_, {header, buffer_});
  if (header_bytes_ > 0) parts_.push_back(body_key_);
  upload_.finish(buffer_);
  if (header_bytes_ == 0) return;
  parts_.push_back(PartialFiles::name_beside(key_));
  put(parts_.back(), {header});
  bucket_->join({parts_.back(), body_key_}, key_);
}

}  // namespace rechunk

#include "store/gcs_upload.h"

#include "http/url_text.h"
#include "store/gcs_service.h"

namespace rechunk {

GcsUpload::~GcsUpload() {
  if (session_.empty()) return;
  try {
    http::Transfer transfer{.method = "DELETE", .target = session_};
    bucket_->client().run(transfer);
  } catch (const Error&) {
    // It ends by itself after a week.
  }
}

void GcsUpload::begin() {
  http::Transfer transfer{.method = "POST",
                          .target = bucket_->upload_target(key_, "resumable")};
  bucket_->run(transfer, "writing", key_);
  // Only what follows the host is used: tokens go to the endpoint alone.
  const std::string location(transfer.answer.header("location"));
  const http::UrlParts parts = http::split_url(location);
  session_ = std::string(parts.path) + "?" + std::string(parts.query);
  if (!parts.path.starts_with('/') || parts.query.empty()) {
    session_.clear();
    throw Error(ErrorKind::kIo, "writing " + bucket_->describe(key_) +
                                    ": the server began no upload");
  }
}

// The server may keep fewer bytes than it was sent: "Range: bytes=0-99".
std::int64_t GcsUpload::kept_bytes(const http::Answer& answer,
                                   std::int64_t end) const {
  std::string_view range = answer.header("range");
  std::int64_t kept = 0;
  if (!range.empty()) {
    constexpr std::string_view kStart = "bytes=0-";
    if (range.starts_with(kStart)) range.remove_prefix(kStart.size());
    kept = http::parse_count(range).value_or(-2) + 1;
  }
  if (kept < sent_ || kept > end)
    throw Error(ErrorKind::kIo, "writing " + bucket_->describe(key_) +
                                    ": the server lost a part of the upload");
  return kept;
}

// A server may take bytes twice if it was sent them twice.
void GcsUpload::check_size(http::Answer& answer, std::int64_t end) const {
  if (take_gcs_size(answer) && answer.object_bytes == end) return;
  http::Transfer removal = bucket_->removal(key_);
  bucket_->client().run(removal);
  throw Error(ErrorKind::kIo, "writing " + bucket_->describe(key_) +
                                  ": the server did not take " +
                                  std::to_string(end) + " bytes, but " +
                                  std::to_string(answer.object_bytes));
}

void GcsUpload::send(std::span<const std::byte> bytes, bool is_last) {
  constexpr int kGoesOn = 308, kMostStops = 5;
  if (!has_begun()) begin();
  const auto end = sent_ + static_cast<std::int64_t>(bytes.size());
  for (int stops = 0; stops < kMostStops;) {
    const std::string range =
        bytes.empty() ? "*"
                      : std::to_string(sent_) + "-" + std::to_string(end - 1);
    http::Transfer transfer{
        .method = "PUT",
        .target = session_,
        .headers = {{"Content-Range",
                     "bytes " + range + "/" +
                         (is_last ? std::to_string(end) : "*")}},
        .body = {bytes}};
    bucket_->run(transfer, "writing", key_, kGoesOn);
    if (transfer.answer.status != kGoesOn) {
      session_.clear();
      if (is_last) return check_size(transfer.answer, end);
      throw Error(ErrorKind::kIo, "writing " + bucket_->describe(key_) +
                                      ": the server ended the upload early");
    }
    const std::int64_t kept = kept_bytes(transfer.answer, end);
    if (kept == end && !is_last) {
      sent_ = end;
      return;
    }
    if (kept == sent_) ++stops;
    bytes = bytes.subspan(static_cast<std::size_t>(kept - sent_));
    sent_ = kept;
  }
  throw Error(ErrorKind::kIo, "writing " + bucket_->describe(key_) +
                                  ": the server keeps nothing of the upload");
}

}  // namespace rechunk

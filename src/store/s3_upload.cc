#include "store/s3_upload.h"

#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <deque>

#include "http/url_text.h"
#include "store/s3_listing.h"
#include "store/xml.h"

namespace rechunk {
namespace {

std::string_view without_quotes(std::string_view tag) {
  while (tag.starts_with('"')) tag.remove_prefix(1);
  while (tag.ends_with('"')) tag.remove_suffix(1);
  return tag;
}

/// The tag of an object made of parts: MD5 of the MD5s that are their tags.
/// "" if they are not MD5s, or there is no MD5 here.
std::string tag_of_parts(const std::map<int, std::string>& tags) {
  std::string bytes;
  for (const auto& [number, tag] : tags) {
    const std::string_view hex = without_quotes(tag);
    for (std::size_t at = 0; at + 2 <= hex.size(); at += 2) {
      unsigned char byte = 0;
      const char* const end = hex.data() + at + 2;
      if (std::from_chars(hex.data() + at, end, byte, 16).ptr != end) return {};
      bytes += static_cast<char>(byte);
    }
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned count = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), hash.data(), &count, EVP_md5(),
                 nullptr) != 1)
    return {};
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned at = 0; at < count; ++at) {
    text += kDigits[hash[at] >> 4];
    text += kDigits[hash[at] & 15];
  }
  return text + "-" + std::to_string(tags.size());
}

}  // namespace

S3PartsUpload::~S3PartsUpload() {
  if (id_.empty()) return;
  try {
    abort_s3_upload(*bucket_, {key_, id_});
  } catch (const Error&) {
    // `remove_unfinished` finds what is left.
  }
}

void S3PartsUpload::begin() {
  http::Transfer transfer{.method = "POST",
                          .target = bucket_->target_with(key_, "uploads=")};
  bucket_->run(transfer, "writing", key_);
  pugi::xml_document document;
  id_ =
      parse_xml(document, transfer.answer.text, "InitiateMultipartUploadResult")
          .child_value("UploadId");
  if (id_.empty())
    throw Error(ErrorKind::kIo, "writing " + bucket_->describe(key_) +
                                    ": the server began no upload in parts");
}

void S3PartsUpload::send(int first, const std::vector<Spans>& parts) {
  constexpr int kMostParts = 10000;
  if (first + static_cast<int>(parts.size()) - 1 > kMostParts)
    throw Error(ErrorKind::kUnsupported,
                "writing " + bucket_->describe(key_) +
                    ": the object has more than 10,000 parts",
                "choose smaller shards");
  if (!has_begun()) begin();
  std::deque<http::Transfer> transfers;
  http::Batch batch(bucket_->client());
  for (int number = first; const Spans& part : parts) {
    http::Transfer& transfer = transfers.emplace_back();
    transfer.method = "PUT";
    transfer.target = bucket_->target_with(
        key_, "partNumber=" + std::to_string(number) +
                  "&uploadId=" + http::percent_encoded(id_));
    transfer.body = part;
    transfer.number = static_cast<std::size_t>(number++);
    batch.start(transfer);
  }
  while (const http::Transfer* done = batch.next()) {
    const http::Answer& answer = done->answer;
    if (!answer.failure.empty() || answer.status != 200)
      throw bucket_->error("writing", key_, answer);
    tags_[static_cast<int>(done->number)] = answer.header("etag");
  }
}

void S3PartsUpload::complete() {
  std::string xml = "<CompleteMultipartUpload>";
  for (const auto& [number, tag] : tags_)
    xml += "<Part><PartNumber>" + std::to_string(number) +
           "</PartNumber><ETag>\"" + std::string(without_quotes(tag)) +
           "\"</ETag></Part>";
  xml += "</CompleteMultipartUpload>";
  http::Transfer transfer{.method = "POST",
                          .target = bucket_->target_with(
                              key_, "uploadId=" + http::percent_encoded(id_)),
                          .body = {std::as_bytes(std::span<const char>(xml))},
                          .needs_new_connection = true};
  bucket_->run(transfer, "writing", key_, kNotThere);
  const http::Answer& answer = transfer.answer;
  // S3 begins to answer before it knows the end: the text alone tells it.
  pugi::xml_document document;
  const bool is_complete =
      !parse_xml(document, answer.text, "CompleteMultipartUploadResult")
           .empty();
  // An attempt before may have completed it, and only its answer was lost.
  if (!is_complete && (answer.attempts == 1 || !was_completed()))
    throw bucket_->error("writing", key_, answer);
  id_.clear();
}

bool S3PartsUpload::was_completed() const {
  http::Transfer transfer{.method = "HEAD", .target = bucket_->target(key_)};
  bucket_->run(transfer, "reading", key_, kNotThere);
  const std::string tag = tag_of_parts(tags_);
  return !tag.empty() && without_quotes(transfer.answer.header("etag")) == tag;
}

}  // namespace rechunk

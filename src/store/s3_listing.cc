#include "store/s3_listing.h"

#include <cstring>
#include <optional>
#include <set>
#include <string>

#include "http/url_text.h"
#include "store/xml.h"

namespace rechunk {
namespace {

// A page has at most 1000 keys of at most 1024 bytes, each percent-encoded.
constexpr std::size_t kLongestPage = 8 << 20;

[[noreturn]] void throw_nonsense(const S3Bucket& bucket,
                                 std::string_view prefix,
                                 const std::string& what) {
  throw Error(ErrorKind::kCorrupt,
              "listing " + bucket.describe(prefix) + ": " + what,
              "check that the endpoint is an S3 server");
}

http::Transfer page_request(const S3Bucket& bucket, const std::string& query) {
  return {.target = bucket.target_with("", query), .max_text = kLongestPage};
}

/// A page of a listing. The document owns the node's text.
pugi::xml_node parse_page(const S3Bucket& bucket, std::string_view prefix,
                          const http::Transfer& transfer, const char* root,
                          pugi::xml_document& document) {
  const pugi::xml_node page = parse_xml(document, transfer.answer.text, root);
  if (!page) throw_nonsense(bucket, prefix, "the answer is no listing");
  return page;
}

std::string first_query(std::string_view prefix) {
  return "encoding-type=url&list-type=2&prefix=" +
         http::percent_encoded(prefix);
}

/// Keys come encoded, because XML cannot hold all characters.
std::string decoded_key(const pugi::xml_node& page,
                        const pugi::xml_node& entry) {
  const std::string key = entry.child_value("Key");
  const bool is_encoded =
      std::strcmp(page.child_value("EncodingType"), "url") == 0;
  if (!is_encoded) return key;
  std::string spaced = key;  // Some servers write "+" for a space, as in forms.
  for (char& c : spaced)
    if (c == '+') c = ' ';
  return http::percent_decoded(spaced);
}

/// False if the visitor has seen enough.
bool visit_page(const S3Bucket& bucket, std::string_view prefix,
                const pugi::xml_node& page, const VisitListed& visit) {
  for (const pugi::xml_node entry : page.children("Contents")) {
    const std::string key = decoded_key(page, entry);
    const auto bytes = http::parse_count(entry.child_value("Size"));
    if (!bytes || key.empty() || !key.starts_with(prefix))
      throw_nonsense(bucket, prefix, "the answer names another object");
    if (!key.ends_with('/') && !visit(key, *bytes)) return false;
  }
  return true;
}

bool is_truncated(const pugi::xml_node& page) {
  return std::strcmp(page.child_value("IsTruncated"), "true") == 0;
}

}  // namespace

http::Transfer first_s3_page(const S3Bucket& bucket, std::string_view prefix) {
  return page_request(bucket, first_query(prefix));
}

void list_s3_objects(S3Bucket& bucket, std::string_view prefix,
                     const VisitListed& visit, const http::Transfer& first) {
  std::set<std::string> tokens;  // One for a thousand keys.
  http::Transfer next;
  for (const http::Transfer* asked = &first;; asked = &next) {
    pugi::xml_document document;
    const pugi::xml_node page =
        parse_page(bucket, prefix, *asked, "ListBucketResult", document);
    if (!visit_page(bucket, prefix, page, visit) || !is_truncated(page)) return;
    const std::string token = page.child_value("NextContinuationToken");
    if (token.empty() || !tokens.insert(token).second)
      throw_nonsense(bucket, prefix, "the listing does not go on");
    next = page_request(
        bucket, "continuation-token=" + http::percent_encoded(token) + "&" +
                    first_query(prefix));
    bucket.run(next, "listing", prefix);
  }
}

std::vector<S3Upload> s3_uploads(S3Bucket& bucket, std::string_view prefix) {
  http::Transfer transfer = page_request(
      bucket,
      "encoding-type=url&prefix=" + http::percent_encoded(prefix) + "&uploads");
  bucket.run(transfer, "listing", prefix);
  pugi::xml_document document;
  const pugi::xml_node page = parse_page(
      bucket, prefix, transfer, "ListMultipartUploadsResult", document);
  std::vector<S3Upload> uploads;
  for (const pugi::xml_node entry : page.children("Upload")) {
    S3Upload upload{decoded_key(page, entry), entry.child_value("UploadId")};
    if (!upload.key.starts_with(prefix) || upload.id.empty())
      throw_nonsense(bucket, prefix, "the answer names another object");
    uploads.push_back(std::move(upload));
  }
  return uploads;
}

void abort_s3_upload(S3Bucket& bucket, const S3Upload& upload) {
  http::Transfer transfer{
      .method = "DELETE",
      .target = bucket.target_with(
          upload.key, "uploadId=" + http::percent_encoded(upload.id))};
  bucket.run(transfer, "ending an upload of", upload.key,
             kNotThere);  // Or somebody else did it.
}

}  // namespace rechunk

#include "store/gcs_bucket.h"

#include <set>
#include <utility>
#include <vector>

#include "http/url_text.h"
#include "json/checked_json.h"
#include "store/folders.h"
#include "store/gcs_service.h"
#include "store/gcs_writer.h"

namespace rechunk {
namespace {

using Json = nlohmann::json;

// A page has at most 1000 names of at most 1024 bytes. An emulator adds to each
// all that it knows about the object.
constexpr std::size_t kLongestPage = 16 << 20;

constexpr std::string_view kApi = "/storage/v1/b/";

struct Listed {
  std::string key;
  std::int64_t bytes;
};
struct Page {
  std::vector<Listed> objects;
  std::string next;  ///< "" after the last page.
};

/// Throws: what nlohmann's library throws for other JSON.
Page parse_page(std::string_view text) {
  const Json document = parse_checked<Json>(text);
  Page page{{}, document.value("nextPageToken", "")};
  if (!document.contains("items")) return page;
  for (const Json& item : document.at("items")) {
    const auto bytes =
        http::parse_count(item.at("size").get_ref<const std::string&>());
    page.objects.push_back(
        {item.at("name").get<std::string>(), bytes.value_or(-1)});
  }
  return page;
}

}  // namespace

GcsBucket::GcsBucket(const GcsPlace& place)
    : Bucket({.requests = place.requests}, std::make_shared<GcsService>(place)),
      place_(place) {}

std::string GcsBucket::object_target(std::string_view key) const {
  return std::string(kApi) + place_.bucket + "/o/" + http::percent_encoded(key);
}

std::string GcsBucket::target(std::string_view key) const {
  return object_target(key) + "?alt=media";
}

http::Transfer GcsBucket::removal(std::string_view key) const {
  return {.method = "DELETE", .target = object_target(key)};
}

http::Transfer GcsBucket::size_question(std::string_view key) const {
  return {.target = object_target(key) + "?" + std::string(kGcsSizeFields)};
}

std::string GcsBucket::upload_target(std::string_view key,
                                     std::string_view type) const {
  return "/upload" + std::string(kApi) + place_.bucket +
         "/o?uploadType=" + std::string(type) +
         "&name=" + http::percent_encoded(key);
}

http::Transfer GcsBucket::put(std::string_view key, Spans body,
                              bool if_free) const {
  return {.method = "POST",
          .target = upload_target(key, "media") +
                    (if_free ? "&ifGenerationMatch=0&" : "&") +
                    std::string(kGcsSizeFields),
          .body = std::move(body)};
}

void GcsBucket::join(const std::vector<std::string>& sources,
                     std::string_view key) {
  Json parts = Json::array();
  for (const std::string& source : sources) parts.push_back({{"name", source}});
  const std::string text =
      Json{{"sourceObjects", parts},
           {"destination", {{"contentType", "application/octet-stream"}}}}
          .dump();
  http::Transfer transfer{
      .method = "POST",
      .target = object_target(key) + "/compose?" + std::string(kGcsSizeFields),
      .headers = {{"Content-Type", "application/json"}},
      .body = {std::as_bytes(std::span<const char>(text))}};
  run(transfer, "writing", key);
}

// A bucket that is missing is not an object that is missing.
bool GcsBucket::is_absent(const http::Answer& answer) const {
  return answer.status == kNotThere && answer.failure.empty() &&
         answer.text.find("bucket does not exist") == std::string::npos;
}

std::string GcsBucket::describe(std::string_view key) const {
  return std::string(kGcsScheme) + place_.bucket +
         (key.empty() ? "" : "/" + std::string(key));
}

http::Transfer GcsBucket::first_page(std::string_view prefix) const {
  return {.target = std::string(kApi) + place_.bucket +
                    "/o?maxResults=1000&fields=" +
                    http::percent_encoded("items(name,size),nextPageToken") +
                    "&prefix=" + http::percent_encoded(prefix),
          .max_text = kLongestPage};
}

void GcsBucket::list_all(std::string_view prefix, const VisitListed& visit,
                         const http::Transfer& first) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kCorrupt,
                "listing " + describe(prefix) + ": " + what,
                "check that the endpoint is a server of Google's store");
  };
  std::set<std::string> tokens;  // One for a thousand keys.
  http::Transfer next;
  for (const http::Transfer* asked = &first;; asked = &next) {
    Page page;
    try {
      page = parse_page(asked->answer.text);
    } catch (const std::exception&) {
      refuse("the answer is no listing");
    }
    for (const Listed& object : page.objects) {
      if (object.bytes < 0 || object.key.empty() ||
          !object.key.starts_with(prefix))
        refuse("the answer names another object");
      if (!object.key.ends_with('/') && !visit(object.key, object.bytes))
        return;
    }
    if (page.next.empty()) return;
    if (!tokens.insert(page.next).second) refuse("the listing does not go on");
    next = first_page(prefix);
    next.target += "&pageToken=" + http::percent_encoded(page.next);
    run(next, "listing", prefix);
  }
}

void GcsBucket::list(std::string_view prefix, const VisitListed& visit,
                     const http::Transfer& first) {
  list_all(
      prefix,
      [&](std::string_view key, std::int64_t bytes) {
        return is_partial(key) || visit(key, bytes);
      },
      first);
}

std::unique_ptr<ObjectWriter> GcsBucket::open_writer(
    std::string key, std::int64_t header_bytes) {
  return std::make_unique<GcsWriter>(
      std::static_pointer_cast<GcsBucket>(shared_from_this()), std::move(key),
      header_bytes);
}

std::int64_t GcsBucket::writer_bytes() const { return kGcsWriterBytes; }

// Uploads that nobody goes on with end by themselves, and cost nothing. Only
// the parts of objects with a header are objects.
void GcsBucket::end_uploads(std::string_view prefix) {
  http::Transfer first = first_page(prefix);
  run(first, "listing", prefix);
  std::vector<std::string> parts;
  list_all(
      prefix,
      [&](std::string_view key, std::int64_t) {
        if (is_partial(key)) parts.emplace_back(key);
        return true;
      },
      first);
  for (const std::string& part : parts) {
    http::Transfer transfer = removal(part);
    run(transfer, "erasing", part, kNotThere);
  }
}

}  // namespace rechunk

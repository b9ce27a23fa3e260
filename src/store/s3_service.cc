#include "store/s3_service.h"

#include <algorithm>
#include <ctime>
#include <iterator>
#include <utility>

#include "http/url_text.h"
#include "store/remote_reads.h"
#include "store/xml.h"

namespace rechunk {
namespace {

template <std::size_t kCount>
bool is_any(std::string_view code, const std::string_view (&codes)[kCount]) {
  return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

constexpr std::string_view kEnded[] = {"ExpiredToken", "ExpiredTokenException",
                                       "TokenRefreshRequired"};
// Some come with 400, 409, or inside an answer that begins as a success. The
// last one is of a server whose objects are files: the folder of an object that
// is written was just removed with the last object in it.
constexpr std::string_view kPassing[] = {"SlowDown",
                                         "InternalError",
                                         "RequestTimeout",
                                         "ServiceUnavailable",
                                         "Throttling",
                                         "ConditionalRequestConflict",
                                         "RequestLimitExceeded",
                                         "ExistingObjectIsDirectory"};

bool is_region(std::string_view text) {
  return !text.empty() && text.size() < 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-';
         });
}

}  // namespace

S3Failure parse_s3_failure(const http::Answer& answer) {
  S3Failure failure{.region =
                        std::string(answer.header("x-amz-bucket-region"))};
  pugi::xml_document document;
  const pugi::xml_node error = parse_xml(document, answer.text, "Error");
  failure.code = http::shown(error.child_value("Code"), 100);
  failure.message = http::shown(error.child_value("Message"));
  if (failure.region.empty()) failure.region = error.child_value("Region");
  failure.object_bytes =
      http::parse_count(error.child_value("ActualObjectSize")).value_or(-1);
  if (!is_region(failure.region)) failure.region.clear();
  return failure;
}

S3Service::S3Service(const S3Place& place)
    : place_(place),
      keys_([this] { return find_aws_credentials(place_.identity); }),
      region_(place.identity.region) {}

std::string S3Service::region() const {
  const std::lock_guard lock(mutex_);
  return region_;
}

// Another thread may have been told before: that is a move, too.
void S3Service::move_to(const std::string& region) const {
  const std::lock_guard lock(mutex_);
  region_ = region;
}

http::Request S3Service::prepare(const http::Transfer& transfer,
                                 http::Headers headers) const {
  const std::string region = this->region();
  const std::string url = s3_base_url(place_, region) + transfer.target;
  if (place_.requester_pays)
    headers.emplace_back("x-amz-request-payer", "requester");
  if (place_.is_anonymous) return {url, std::move(headers)};
  const std::string hash = url.starts_with("https:")
                               ? std::string(http::kUnsignedPayload)
                               : http::sha256_hex(transfer.body);
  return {url,
          http::sign_sigv4(keys_.current(), {region, "s3"}, transfer.method,
                           url, std::move(headers), hash, std::time(nullptr))};
}

http::Verdict S3Service::judge(http::Transfer& transfer) const {
  http::Answer& answer = transfer.answer;
  const int status = answer.status;
  // A page to sign in at answers 200 to everything, and keeps nothing.
  const bool is_of_object =
      transfer.method == "PUT" || (transfer.offset && is_web_page(answer));
  if (answer.failure.empty() && is_of_object && status / 100 == 2 &&
      answer.header("etag").empty())
    answer.failure = transfer.method == "PUT"
                         ? "the server says that it took the object, but not "
                           "as S3 does"
                         : "the server sent a web page, not an object of S3";
  if (!answer.failure.empty() || status < 200 || status == 404)
    return http::usual_verdict(answer);
  const bool may_say = status >= 300 || transfer.method == "POST";
  if (!may_say) return http::Verdict::kDone;
  const S3Failure failure = parse_s3_failure(answer);
  const auto again = [](bool is_new) {
    return is_new ? http::Verdict::kAgain : http::Verdict::kDone;
  };
  if (is_any(failure.code, kEnded) && !place_.is_anonymous)
    return again(keys_.renew());
  const bool is_elsewhere = status == 301 || status == 307 || status == 400;
  if (is_elsewhere && !failure.region.empty() &&
      failure.region != place_.identity.region) {
    move_to(failure.region);
    return http::Verdict::kAgain;
  }
  // An answer to HEAD has no text that says what is wrong: a byte is asked for.
  if (transfer.method == "HEAD" && (is_elsewhere || status == 403)) {
    transfer.method = "GET";
    transfer.offset = 0;
    transfer.sinks = {{nullptr, 1}};
    return http::Verdict::kAgain;
  }
  if (is_any(failure.code, kPassing)) return http::Verdict::kLater;
  return http::usual_verdict(answer);
}

}  // namespace rechunk

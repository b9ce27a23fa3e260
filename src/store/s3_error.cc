// What an answer of S3 means for people. The header is s3_bucket.h.
#include <string>

#include "http/url_text.h"
#include "store/s3_bucket.h"
#include "store/s3_service.h"

namespace rechunk {
namespace {

struct Meaning {
  std::string_view code;
  ErrorKind kind;
  std::string_view hint;
};

constexpr std::string_view kKeys =
    "check the access key and the secret key (AWS_ACCESS_KEY_ID, AWS_PROFILE)";

constexpr Meaning kMeanings[] = {
    {"NoSuchBucket", ErrorKind::kNotFound,
     "check the bucket's name, and the endpoint (AWS_ENDPOINT_URL)"},
    {"AccessDenied", ErrorKind::kIo,
     "these credentials may not do that; a public bucket may need the storage "
     "option aws_skip_signature=true, and without the right to list a bucket "
     "missing objects look like this, too"},
    {"AllAccessDisabled", ErrorKind::kIo, "the bucket's owner closed it"},
    {"InvalidAccessKeyId", ErrorKind::kIo, kKeys},
    {"SignatureDoesNotMatch", ErrorKind::kIo, kKeys},
    {"ExpiredToken", ErrorKind::kIo, "get new credentials"},
    {"InvalidToken", ErrorKind::kIo, "get new credentials"},
    {"RequestTimeTooSkewed", ErrorKind::kIo, "set the clock of this machine"},
    {"AuthorizationHeaderMalformed", ErrorKind::kIo,
     "set the bucket's region (AWS_REGION)"},
    {"PermanentRedirect", ErrorKind::kIo,
     "set the bucket's region (AWS_REGION) or endpoint"},
    {"TemporaryRedirect", ErrorKind::kIo, "set the bucket's region"},
    {"IllegalLocationConstraintException", ErrorKind::kIo,
     "set the bucket's region (AWS_REGION)"},
    {"SlowDown", ErrorKind::kIo,
     "ask for less at a time: the storage option max_requests"},
    {"NotImplemented", ErrorKind::kUnsupported,
     "the server lacks a part of S3 that this needs"},
    {"InvalidObjectState", ErrorKind::kIo,
     "the object is in an archive; restore it first"},
    {"KeyTooLongError", ErrorKind::kInvalidArgument, "use a shorter prefix"},
    {"QuotaExceeded", ErrorKind::kIo, "free space, or write elsewhere"},
};

const Meaning* meaning_of(const S3Failure& failure, int status) {
  constexpr int kForbidden = 403, kUnauthorized = 401;
  std::string_view code = failure.code;
  if (code.empty() && status == kForbidden) code = "AccessDenied";
  for (const Meaning& meaning : kMeanings)
    if (meaning.code == code) return &meaning;
  // Servers have codes of their own for keys that they do not know.
  static constexpr Meaning kRefused{"", ErrorKind::kIo, kKeys};
  return status == kForbidden || status == kUnauthorized ? &kRefused : nullptr;
}

std::string hint_of_failure(const http::Answer& answer) {
  if (answer.is_unreachable && answer.is_mute)
    return "the endpoint (AWS_ENDPOINT_URL) may need https:// where it has "
           "http://";
  if (answer.is_unreachable)
    return "check the endpoint (AWS_ENDPOINT_URL), the region and the network";
  if (answer.failure.find("certificate") != std::string::npos ||
      answer.failure.find("SSL") != std::string::npos)
    return "if the server has a certificate of its own, AWS_CA_BUNDLE names "
           "the file with it";
  return {};
}

}  // namespace

Error S3Bucket::error(std::string_view action, std::string_view key,
                      const http::Answer& answer) const {
  const std::string where = std::string(action) + " " + describe(key) + ": ";
  if (!answer.failure.empty())
    return Error(ErrorKind::kIo, where + cause_of(answer),
                 hint_of_failure(answer));
  if (is_web_page(answer))
    return Error(ErrorKind::kIo,
                 where + cause_of(answer) + " and a web page, not as S3 does",
                 "check the endpoint (AWS_ENDPOINT_URL)");
  const S3Failure failure = parse_s3_failure(answer);
  const Meaning* const meaning = meaning_of(failure, answer.status);
  std::string cause = failure.code;
  if (!failure.message.empty())
    cause += (cause.empty() ? "" : ": ") + failure.message;
  if (cause.empty()) cause = cause_of(answer);
  std::string hint(meaning != nullptr ? meaning->hint : "");
  if (failure.code == "RequestTimeTooSkewed" && !answer.header("date").empty())
    hint += "; the server's says " + http::shown(answer.header("date"), 40);
  return Error(meaning != nullptr ? meaning->kind : ErrorKind::kIo,
               where + cause, hint);
}

}  // namespace rechunk

// What an answer of Google's store means for people. The header is
// gcs_bucket.h.
#include <string>

#include "store/gcs_bucket.h"
#include "store/gcs_service.h"

namespace rechunk {
namespace {

struct Meaning {
  int status;
  std::string_view text;  ///< In the message; "" fits all.
  ErrorKind kind;
  std::string_view hint;
};

// The first that fits counts.
constexpr Meaning kMeanings[] = {
    {400, "requester pays", ErrorKind::kIo,
     "name the project that pays: the storage option user_project"},
    {400, "user project", ErrorKind::kIo,
     "name the project that pays: the storage option user_project"},
    {401, "", ErrorKind::kIo,
     "get new credentials: `gcloud auth application-default login`, or "
     "GOOGLE_APPLICATION_CREDENTIALS"},
    {403, "billing", ErrorKind::kIo,
     "switch billing on for the project, or name another one: the storage "
     "option user_project"},
    {403, "", ErrorKind::kIo,
     "these credentials may not do that; a public bucket may need the storage "
     "option anon=true, and without the right to list a bucket missing objects "
     "look like this, too"},
    {404, "", ErrorKind::kNotFound,
     "check the bucket's name, and the endpoint (STORAGE_EMULATOR_HOST)"},
    {429, "", ErrorKind::kIo,
     "ask for less at a time: the storage option max_requests"},
};

}  // namespace

Error GcsBucket::error(std::string_view action, std::string_view key,
                       const http::Answer& answer) const {
  const std::string where = std::string(action) + " " + describe(key) + ": ";
  if (!answer.failure.empty())
    return Error(ErrorKind::kIo, where + cause_of(answer),
                 answer.is_unreachable
                     ? "check the network, and the endpoint, which may need "
                       "https:// (STORAGE_EMULATOR_HOST)"
                     : "");
  if (is_web_page(answer))
    return Error(ErrorKind::kIo,
                 where + cause_of(answer) +
                     " and a web page, not as Google's store does",
                 "check the endpoint (STORAGE_EMULATOR_HOST)");
  const GcsFailure failure = parse_gcs_failure(answer);
  std::string cause = cause_of(answer);
  if (!failure.message.empty()) cause += ": " + failure.message;
  for (const Meaning& meaning : kMeanings)
    if (meaning.status == answer.status &&
        failure.message.find(meaning.text) != std::string::npos)
      return Error(meaning.kind, where + cause, std::string(meaning.hint));
  return Error(ErrorKind::kIo, where + cause);
}

}  // namespace rechunk

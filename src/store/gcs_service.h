// Google Cloud Storage as the HTTP client sees it: tokens, who pays, and what
// answers mean.
#pragma once

#include <string>

#include "http/service.h"
#include "store/credentials.h"
#include "store/gcs_place.h"

namespace rechunk {

/// What an error of Google says.
struct GcsFailure {
  std::string reason;  ///< "rateLimitExceeded"; "" if it does not say.
  std::string message;
};
GcsFailure parse_gcs_failure(const http::Answer& answer);

/// Puts what JSON says about an object where an answer with the object's bytes
/// has it. False if it does not say it.
bool take_gcs_size(http::Answer& answer);

/// A target ends with this if the answer shall say how large the object is, and
/// which generation of it: also of one that was just written.
inline constexpr std::string_view kGcsSizeFields = "fields=generation%2Csize";

/// The header that has the generation of an object, in answers with its bytes.
inline constexpr std::string_view kGcsGeneration = "x-goog-generation";

/// Targets are paths and queries. Any thread.
class GcsService final : public http::Service {
 public:
  explicit GcsService(const GcsPlace& place);
  http::Request prepare(const http::Transfer& transfer,
                        http::Headers headers) const override;
  http::Verdict judge(http::Transfer& transfer) const override;

 private:
  const GcsPlace place_;
  mutable KeptCredentials<std::string> token_;
};

}  // namespace rechunk

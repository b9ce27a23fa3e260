// S3 as the HTTP client sees it: signatures, the region of the bucket, and
// answers after which it makes sense to ask again.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "http/service.h"
#include "store/aws_credentials.h"
#include "store/s3_place.h"

namespace rechunk {

/// What an error of S3 says.
struct S3Failure {
  std::string code;  ///< "NoSuchKey"; "" if the answer is no such document.
  std::string message;
  std::string region;  ///< That the bucket is in; "" if it does not say.
  std::int64_t object_bytes = -1;  ///< Of an object that ends before a range.
};
S3Failure parse_s3_failure(const http::Answer& answer);

/// Targets are "/", an encoded key, and a query. Any thread.
class S3Service final : public http::Service {
 public:
  explicit S3Service(const S3Place& place);
  http::Request prepare(const http::Transfer& transfer,
                        http::Headers headers) const override;
  http::Verdict judge(http::Transfer& transfer) const override;

 private:
  std::string region() const;
  void move_to(const std::string& region) const;

  const S3Place place_;
  mutable KeptCredentials<http::AwsKey> keys_;
  mutable std::mutex mutex_;
  mutable std::string region_;
};

}  // namespace rechunk

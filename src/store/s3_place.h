// What an S3 URL and its options say: s3://bucket/prefix. Options are named as
// in obstore and fsspec; what they leave open, the environment and the profile
// say (AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_PROFILE, ...).
#pragma once

#include <string>

#include "rechunk/store.h"
#include "store/aws_credentials.h"

namespace rechunk {

inline constexpr std::string_view kS3Scheme = "s3://";

struct S3Place {
  std::string bucket;
  std::string root;      ///< Without "/" at its ends; "" is the whole bucket.
  std::string endpoint;  ///< "" is AWS; else a URL without "/" at its end.
  bool is_anonymous = false;
  bool requester_pays = false;
  bool bucket_is_in_host = false;
  int requests = 64;  ///< At a time.
  std::string ca_bundle;
  AwsIdentity identity;
};

/// Throws: invalid_argument.
S3Place parse_s3_place(const std::string& url, const StorageOptions& options);

/// True if the value of such an option is a secret.
bool is_secret_s3_option(std::string_view name);

/// "https://bucket.s3.eu-west-1.amazonaws.com", or with the bucket in the path.
std::string s3_base_url(const S3Place& place, const std::string& region);

}  // namespace rechunk

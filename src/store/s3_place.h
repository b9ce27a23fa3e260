// What an S3 URL and its options say: s3://bucket/prefix. Options are named as
// in obstore and fsspec; what they leave open, the environment and the profile
// say (AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_PROFILE, ...).
#pragma once

#include <string>

#include "rechunk/store.h"
#include "store/aws_credentials.h"
#include "store/storage_options.h"

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

inline constexpr StorageOption kS3Options[] = {
    {{"aws_access_key_id", "access_key_id", "key"}, true},
    {{"aws_secret_access_key", "secret_access_key", "secret"}, true},
    {{"aws_session_token", "session_token", "aws_token", "token"}, true},
    {{"aws_profile", "profile", "profile_name"}},
    {{"aws_region", "region", "region_name"}},
    {{"aws_endpoint_url", "endpoint_url", "aws_endpoint", "endpoint"}},
    {{"aws_virtual_hosted_style_request", "virtual_hosted_style_request"}},
    {{"aws_skip_signature", "skip_signature", "anon"}},
    {{"aws_request_payer", "request_payer", "requester_pays"}},
    {{"max_requests"}},
};

/// "https://bucket.s3.eu-west-1.amazonaws.com", or with the bucket in the path.
std::string s3_base_url(const S3Place& place, const std::string& region);

}  // namespace rechunk

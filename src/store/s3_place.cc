#include "store/s3_place.h"

#include <algorithm>

#include "rechunk/error.h"
#include "store/bucket_url.h"

namespace rechunk {
namespace {

constexpr const StorageOption& kId = kS3Options[0];
constexpr const StorageOption& kSecret = kS3Options[1];
constexpr const StorageOption& kToken = kS3Options[2];
constexpr const StorageOption& kProfile = kS3Options[3];
constexpr const StorageOption& kRegion = kS3Options[4];
constexpr const StorageOption& kEndpoint = kS3Options[5];
constexpr const StorageOption& kVirtualHost = kS3Options[6];
constexpr const StorageOption& kAnonymous = kS3Options[7];
constexpr const StorageOption& kRequesterPays = kS3Options[8];
constexpr const StorageOption& kRequests = kS3Options[9];

std::string profile_value(const AwsProfile& profile, const std::string& name) {
  const auto found = profile.find(name);
  return found == profile.end() ? std::string() : found->second;
}

void set_identity(const StorageOptions& options, AwsIdentity& identity) {
  identity.given = {value_of(options, kId).value_or(""),
                    value_of(options, kSecret).value_or(""),
                    value_of(options, kToken).value_or("")};
  if (identity.given.id.empty() != identity.given.secret.empty())
    throw Error(ErrorKind::kInvalidArgument,
                "storage options: of aws_access_key_id and "
                "aws_secret_access_key only one is given");
  const auto profile = value_of(options, kProfile);
  identity.profile_is_given = profile.has_value();
  identity.profile =
      profile ? *profile : environment("AWS_PROFILE").value_or("default");
}

template <class... Names>
std::string first_of(const std::optional<std::string>& given,
                     const std::string& last, Names... names) {
  if (given) return *given;
  for (const char* name : {names...})
    if (auto value = environment(name)) return *value;
  return last;
}

bool is_on(const StorageOptions& options, const StorageOption& option,
           std::initializer_list<const char*> names) {
  if (const auto given = switch_of(options, option)) return *given;
  for (const char* name : names)
    if (const auto value = environment_switch(name, option)) return *value;
  return false;
}

}  // namespace

S3Place parse_s3_place(const std::string& url, const StorageOptions& options) {
  const BucketUrl names = split_bucket_url(url, kS3Scheme);
  const std::string shown = std::string(kS3Scheme) + names.bucket;
  S3Place place{.bucket = names.bucket, .root = names.root};
  check_names(options, kS3Options, shown);
  set_identity(options, place.identity);
  const AwsProfile profile = read_aws_profile(place.identity.profile);
  place.identity.region =
      first_of(value_of(options, kRegion), profile_value(profile, "region"),
               "AWS_REGION", "AWS_DEFAULT_REGION");
  if (place.identity.region.empty()) place.identity.region = "us-east-1";
  const std::string endpoint = first_of(
      value_of(options, kEndpoint), profile_value(profile, "endpoint_url"),
      "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
  if (!endpoint.empty()) place.endpoint = checked_endpoint(endpoint, shown);
  place.is_anonymous =
      is_on(options, kAnonymous, {"AWS_SKIP_SIGNATURE", "AWS_NO_SIGN_REQUEST"});
  place.requester_pays = is_on(options, kRequesterPays, {"AWS_REQUEST_PAYER"});
  // A name with dots does not match the certificate of *.s3.amazonaws.com.
  place.bucket_is_in_host =
      switch_of(options, kVirtualHost)
          .value_or(place.endpoint.empty() &&
                    place.bucket.find_first_of("._") == std::string::npos);
  place.ca_bundle = environment("AWS_CA_BUNDLE")
                        .value_or(profile_value(profile, "ca_bundle"));
  if (const auto count = requests_of(options, kRequests, shown))
    place.requests = *count;
  return place;
}

std::string s3_base_url(const S3Place& place, const std::string& region) {
  std::string scheme = "https", host;
  if (place.endpoint.empty()) {
    host = "s3." + region + ".amazonaws.com";
    if (region.starts_with("cn-")) host += ".cn";
  } else {
    const auto mark = place.endpoint.find("://");
    scheme = place.endpoint.substr(0, mark);
    host = place.endpoint.substr(mark + 3);
  }
  return scheme + "://" +
         (place.bucket_is_in_host ? place.bucket + "." + host
                                  : host + "/" + place.bucket);
}

}  // namespace rechunk

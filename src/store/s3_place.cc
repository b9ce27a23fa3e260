#include "store/s3_place.h"

#include <algorithm>
#include <iterator>

#include "http/transfer.h"
#include "http/url_text.h"
#include "rechunk/error.h"
#include "store/storage_options.h"

namespace rechunk {
namespace {

constexpr StorageOption kOptions[] = {
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
constexpr const StorageOption& kId = kOptions[0];
constexpr const StorageOption& kSecret = kOptions[1];
constexpr const StorageOption& kToken = kOptions[2];
constexpr const StorageOption& kProfile = kOptions[3];
constexpr const StorageOption& kRegion = kOptions[4];
constexpr const StorageOption& kEndpoint = kOptions[5];
constexpr const StorageOption& kVirtualHost = kOptions[6];
constexpr const StorageOption& kAnonymous = kOptions[7];
constexpr const StorageOption& kRequesterPays = kOptions[8];
constexpr const StorageOption& kRequests = kOptions[9];

[[noreturn]] void refuse(const std::string& place, const std::string& why,
                         const std::string& hint = {}) {
  throw Error(ErrorKind::kInvalidArgument, "opening " + place + ": " + why,
              hint);
}

void set_names(const std::string& url, S3Place& place) {
  std::string_view rest = std::string_view(url).substr(kS3Scheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  place.bucket = rest.substr(0, slash);
  rest.remove_prefix(slash);
  while (rest.starts_with('/')) rest.remove_prefix(1);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  place.root = rest;
  // User information in a URL could be a secret: it is not shown.
  if (place.bucket.find('@') != std::string::npos)
    refuse("an S3 URL", "its bucket has an @",
           "credentials belong in the environment or in storage options");
  const bool is_plain = std::all_of(
      place.bucket.begin(), place.bucket.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
      });
  if (place.bucket.empty() || !is_plain)
    refuse(http::shown(url), "that is no bucket", "write s3://bucket/prefix");
}

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

void set_endpoint(const std::string& given, S3Place& place) {
  std::string_view endpoint = given;
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  place.endpoint = endpoint;
  if (endpoint.empty()) return;
  const http::UrlParts parts = http::split_url(endpoint);
  const bool is_sound = (parts.scheme == "http" || parts.scheme == "https") &&
                        !parts.host.empty() && parts.user.empty() &&
                        parts.query.empty();
  if (!is_sound)
    refuse(std::string(kS3Scheme) + place.bucket,
           "its endpoint is no URL of a server",
           "write https://host or http://host:port");
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
  for (const char* name : names) {
    if (const auto value = environment(name)) {
      const StorageOptions as_option{{std::string(option.names[0]), *value}};
      return *switch_of(as_option, option);
    }
  }
  return false;
}

}  // namespace

S3Place parse_s3_place(const std::string& url, const StorageOptions& options) {
  S3Place place;
  set_names(url, place);
  check_names(options, kOptions, std::string(kS3Scheme) + place.bucket);
  set_identity(options, place.identity);
  const AwsProfile profile = read_aws_profile(place.identity.profile);
  place.identity.region =
      first_of(value_of(options, kRegion), profile_value(profile, "region"),
               "AWS_REGION", "AWS_DEFAULT_REGION");
  if (place.identity.region.empty()) place.identity.region = "us-east-1";
  set_endpoint(first_of(value_of(options, kEndpoint),
                        profile_value(profile, "endpoint_url"),
                        "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
               place);
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
  if (const auto count = requests_of(options, kRequests,
                                     std::string(kS3Scheme) + place.bucket))
    place.requests = *count;
  return place;
}

bool is_secret_s3_option(std::string_view name) {
  return std::any_of(std::begin(kOptions), std::end(kOptions),
                     [&](const StorageOption& option) {
                       return option.is_secret &&
                              std::find(option.names.begin(),
                                        option.names.end(),
                                        name) != option.names.end();
                     });
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

#include "store/gcs_place.h"

#include <filesystem>
#include <optional>

#include "http/url_text.h"
#include "rechunk/error.h"
#include "store/bucket_url.h"

namespace rechunk {
namespace {

constexpr const StorageOption& kToken = kGcsOptions[0];
constexpr const StorageOption& kKey = kGcsOptions[1];
constexpr const StorageOption& kKeyFile = kGcsOptions[2];
constexpr const StorageOption& kDefaultFile = kGcsOptions[3];
constexpr const StorageOption& kAnonymous = kGcsOptions[4];
constexpr const StorageOption& kUserProject = kGcsOptions[5];
constexpr const StorageOption& kRequesterPays = kGcsOptions[6];
constexpr const StorageOption& kProject = kGcsOptions[7];
constexpr const StorageOption& kEndpoint = kGcsOptions[8];
constexpr const StorageOption& kRequests = kGcsOptions[9];

[[noreturn]] void refuse(const std::string& why, const std::string& hint = {}) {
  throw Error(ErrorKind::kInvalidArgument, "storage options: " + why, hint);
}

/// As gcsfs takes it: a word, the JSON of a key, a file with it, or a token.
void set_token(const std::string& token, GcsPlace& place) {
  GoogleIdentity& identity = place.identity;
  std::error_code error;
  if (token == "anon") {
    place.is_anonymous = true;
  } else if (token == "cloud") {
    identity.only_machine = true;
  } else if (token == "google_default") {
    return;
  } else if (token == "cache" || token == "browser") {
    refuse("rechunk does not sign in as token=" + token + " says",
           "`gcloud auth application-default login` does");
  } else if (token.starts_with('{')) {
    identity.key = token;
  } else if (std::filesystem::is_regular_file(token, error)) {
    identity.key_file = token;
  } else if (http::shown(token, token.size()) != token) {
    refuse("token has more than one line");
  } else {
    identity.token = token;
  }
}

/// True if the options say who asks.
bool set_identity(const StorageOptions& options, GcsPlace& place) {
  GoogleIdentity& identity = place.identity;
  if (const auto token = value_of(options, kToken))
    return set_token(*token, place), true;
  identity.key = value_of(options, kKey).value_or("");
  for (const StorageOption* option : {&kKeyFile, &kDefaultFile})
    if (identity.key_file.empty())
      identity.key_file = value_of(options, *option).value_or("");
  return !identity.key.empty() || !identity.key_file.empty();
}

void set_identity_of_environment(GoogleIdentity& identity) {
  const auto first = [](std::initializer_list<const char*> names) {
    std::string found;
    for (const char* name : names)
      if (found.empty()) found = environment(name).value_or("");
    return found;
  };
  identity.token = first({"GOOGLE_BEARER_TOKEN"});
  identity.key = first({"GOOGLE_SERVICE_ACCOUNT_KEY"});
  identity.key_file =
      first({"GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH",
             "GOOGLE_APPLICATION_CREDENTIALS"});
}

/// gcsfs takes a project as requester_pays, too.
std::string user_project(const StorageOptions& options) {
  if (const auto project = value_of(options, kUserProject)) return *project;
  const auto pays = value_of(options, kRequesterPays);
  if (!pays) return {};
  bool is_on = true;
  try {
    is_on = *switch_of(options, kRequesterPays);
  } catch (const Error&) {
    return *pays;
  }
  if (!is_on) return {};
  const auto project = value_of(options, kProject);
  std::string found =
      project ? *project : environment("GOOGLE_CLOUD_PROJECT").value_or("");
  if (found.empty())
    refuse("requester_pays is given, but not which project pays",
           "give user_project");
  return found;
}

/// Writes "http://" before the address of an emulator that has no scheme.
std::string emulator() {
  std::string host = environment("STORAGE_EMULATOR_HOST").value_or("");
  if (!host.empty() && host.find("://") == std::string::npos)
    host = "http://" + host;
  return host;
}

}  // namespace

GcsPlace parse_gcs_place(const std::string& url,
                         const StorageOptions& options) {
  const BucketUrl names = split_bucket_url(url, kGcsScheme);
  const std::string shown = std::string(kGcsScheme) + names.bucket;
  GcsPlace place{.bucket = names.bucket, .root = names.root};
  check_names(options, kGcsOptions, shown);
  const bool is_said = set_identity(options, place);
  const auto anonymous = switch_of(options, kAnonymous);
  if (anonymous) place.is_anonymous = *anonymous;
  const std::string emulated = emulator();
  std::string endpoint = value_of(options, kEndpoint).value_or(emulated);
  if (endpoint.empty()) endpoint = environment("GOOGLE_BASE_URL").value_or("");
  place.endpoint = checked_endpoint(
      endpoint.empty() ? "https://storage.googleapis.com" : endpoint, shown);
  // Whoever set this has given nobody's credentials to the emulator.
  if (!is_said && !anonymous && !emulated.empty()) place.is_anonymous = true;
  if (!is_said && !anonymous)
    place.is_anonymous |=
        environment_switch("GOOGLE_SKIP_SIGNATURE", kAnonymous).value_or(false);
  if (!is_said) set_identity_of_environment(place.identity);
  const http::UrlParts server = http::split_url(place.endpoint);
  if (!place.is_anonymous && server.scheme != "https" &&
      !http::is_loopback(server.host))
    refuse("the endpoint is not https, so others could read the token",
           "for a server that asks for none, give anon=true");
  place.user_project = user_project(options);
  if (const auto count = requests_of(options, kRequests, shown))
    place.requests = *count;
  return place;
}

}  // namespace rechunk

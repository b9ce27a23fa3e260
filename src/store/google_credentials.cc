#include "store/google_credentials.h"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "http/client.h"
#include "http/jwt.h"
#include "http/url_text.h"
#include "json/checked_json.h"
#include "rechunk/error.h"
#include "store/near_server.h"
#include "store/storage_options.h"

namespace rechunk {
namespace {

using std::chrono::system_clock;
using Json = nlohmann::json;
using Token = Credentials<std::string>;

constexpr std::string_view kLooking = "looking for credentials: ";
constexpr std::string_view kScope =
    "https://www.googleapis.com/auth/devstorage.read_write";

[[noreturn]] void refuse(ErrorKind kind, const std::string& cause,
                         const std::string& hint = {}) {
  throw Error(kind, std::string(kLooking) + cause, hint);
}

/// The text may hold secrets: it is never shown.
Json parse_object(std::string_view text) {
  try {
    Json found = parse_checked<Json>(text);
    if (found.is_object()) return found;
  } catch (const std::exception&) {
  }
  return Json::object();
}

std::string member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>()
                                                     : std::string();
}

std::string needed(const Json& object, const char* name,
                   const std::string& source) {
  std::string text = member(object, name);
  if (text.empty())
    refuse(ErrorKind::kInvalidArgument, source + " has no " + name);
  return text;
}

/// Of the answer of a service that gives tokens.
std::optional<Token> parse_token(const http::Answer& answer) {
  const Json found = parse_object(answer.text);
  const auto seconds = found.find("expires_in");
  const std::string token = member(found, "access_token");
  if (!is_good(answer) || token.empty() || http::shown(token, 8192) != token)
    return std::nullopt;
  Token given{token, {}};
  if (seconds != found.end() && seconds->is_number())
    given.end = system_clock::now() +
                std::chrono::seconds(seconds->get<std::int64_t>());
  return given;
}

/// The key goes there, so it must be safe.
std::string token_service(const Json& key, const std::string& source) {
  std::string url = member(key, "token_uri");
  if (url.empty()) url = "https://oauth2.googleapis.com/token";
  const http::UrlParts parts = http::split_url(url);
  if (parts.scheme != "https" && !http::is_loopback(parts.host))
    refuse(ErrorKind::kInvalidArgument,
           source + " names a token_uri that is not https");
  return url;
}

Token ask_for_token(const std::string& url, const std::string& form,
                    const std::string& source) {
  http::Client client({.requests = 1, .retry_time = std::chrono::seconds(20)},
                      std::make_shared<http::PlainService>());
  http::Transfer transfer{
      .method = "POST",
      .target = url,
      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
      .body = {std::as_bytes(std::span<const char>(form))}};
  client.run(transfer);
  const http::Answer& answer = transfer.answer;
  if (const auto token = parse_token(answer)) return *token;
  const Json said = parse_object(answer.text);
  std::string cause = member(said, "error_description");
  if (cause.empty()) cause = member(said, "error");
  if (!answer.failure.empty()) cause = answer.failure;
  if (cause.empty()) cause = "HTTP status " + std::to_string(answer.status);
  refuse(ErrorKind::kIo, "no token for " + source + ": " + http::shown(cause),
         "get a new key, or sign in: `gcloud auth application-default login`");
}

Token by_service_account(const Json& key, const std::string& source) {
  const std::string url = token_service(key, source);
  const std::int64_t now = system_clock::to_time_t(system_clock::now());
  constexpr std::int64_t kSeconds = 3600;
  Json header{{"alg", "RS256"}, {"typ", "JWT"}};
  if (const std::string id = member(key, "private_key_id"); !id.empty())
    header["kid"] = id;
  const Json claims{{"iss", needed(key, "client_email", source)},
                    {"scope", kScope},
                    {"aud", url},
                    {"iat", now},
                    {"exp", now + kSeconds}};
  const auto text = [](const Json& json) {
    return json.dump(-1, ' ', true, Json::error_handler_t::replace);
  };
  return ask_for_token(
      url,
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
      "&assertion=" +
          http::signed_jwt(text(header), text(claims),
                           needed(key, "private_key", source)),
      source);
}

Token by_user(const Json& key, const std::string& source) {
  std::string form = "grant_type=refresh_token";
  for (const char* name : {"client_id", "client_secret", "refresh_token"})
    form += "&" + std::string(name) + "=" +
            http::percent_encoded(needed(key, name, source));
  return ask_for_token(token_service(key, source), form, source);
}

Token by_key_file(const std::string& path) {
  constexpr std::size_t kMostBytes = 1 << 20;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.empty())
    refuse(ErrorKind::kInvalidArgument, path + " cannot be read, or is empty");
  return google_token_by_key(text, path);
}

/// Where gcloud keeps what a user signed in with; "" if it does not.
std::string file_of_gcloud() {
  const std::string folder =
      environment("CLOUDSDK_CONFIG")
          .value_or(environment("HOME").value_or("") + "/.config/gcloud");
  std::string path = folder + "/application_default_credentials.json";
  return std::ifstream(path) ? path : std::string();
}

std::optional<Token> by_machine() {
  if (environment("NO_GCE_CHECK") == "true") return std::nullopt;
  return parse_token(ask_near_server(
      "GET",
      "http://" + environment("GCE_METADATA_HOST").value_or("169.254.169.254") +
          "/computeMetadata/v1/instance/service-accounts/default/token",
      {{"Metadata-Flavor", "Google"}}));
}

}  // namespace

Token google_token_by_key(std::string_view json, const std::string& source) {
  const Json key = parse_object(json);
  const std::string type = member(key, "type");
  if (type == "service_account") return by_service_account(key, source);
  if (type == "authorized_user") return by_user(key, source);
  if (type.empty())
    refuse(ErrorKind::kInvalidArgument,
           source + " is no key of an account, as JSON with a type");
  refuse(ErrorKind::kUnsupported,
         source + " has credentials of the type " + http::shown(type, 100),
         "`gcloud auth application-default print-access-token` prints a token "
         "for the storage option token; it serves for an hour");
}

Token find_google_token(const GoogleIdentity& identity) {
  if (!identity.token.empty()) return {identity.token, {}};
  if (!identity.only_machine) {
    if (!identity.key.empty())
      return google_token_by_key(identity.key, "the service account's key");
    if (!identity.key_file.empty()) return by_key_file(identity.key_file);
    if (const std::string path = file_of_gcloud(); !path.empty())
      return by_key_file(path);
  }
  if (const auto token = by_machine()) return *token;
  refuse(ErrorKind::kInvalidArgument,
         "there are none in the environment, of gcloud, or on this machine",
         "set GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth "
         "application-default login`; for a public bucket the storage option "
         "anon=true");
}

}  // namespace rechunk

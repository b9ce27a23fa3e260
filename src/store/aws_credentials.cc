#include "store/aws_credentials.h"

#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "json/checked_json.h"
#include "rechunk/error.h"
#include "store/storage_options.h"

namespace rechunk {
namespace {

using std::chrono::system_clock;
using Found = std::optional<AwsCredentials>;

std::string text_of(const AwsProfile& profile, const std::string& name) {
  const auto found = profile.find(name);
  return found == profile.end() ? std::string() : found->second;
}

Found from_environment() {
  const auto id = environment("AWS_ACCESS_KEY_ID");
  const auto secret = environment("AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) return std::nullopt;
  if (!id || !secret)
    throw Error(ErrorKind::kInvalidArgument,
                "looking for credentials: of AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY only one is set");
  return AwsCredentials{
      {*id, *secret, environment("AWS_SESSION_TOKEN").value_or("")}, {}};
}

AwsCredentials by_token_file(const std::string& path, AwsRole role) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(ErrorKind::kInvalidArgument,
                "looking for credentials: the web identity's token " + path +
                    " cannot be read");
  std::string token{std::istreambuf_iterator<char>(file), {}};
  while (!token.empty() && token.back() == '\n') token.pop_back();
  return take_on_role_by_token(role, token);
}

Found from_web_identity(const AwsIdentity& identity) {
  const auto path = environment("AWS_WEB_IDENTITY_TOKEN_FILE");
  const auto arn = environment("AWS_ROLE_ARN");
  if (!path || !arn) return std::nullopt;
  return by_token_file(
      *path, {*arn, environment("AWS_ROLE_SESSION_NAME").value_or("rechunk"),
              "", identity.region});
}

std::string output_of(const std::string& command) {
  constexpr std::size_t kMostBytes = 64 << 10;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      popen(command.c_str(), "re"), &pclose);
  std::string text(kMostBytes, '\0');
  if (pipe)
    text.resize(std::fread(text.data(), 1, text.size(), pipe.get()));
  else
    text.clear();
  return text;
}

/// `depth`: how many profiles named this one as their source.
Found from_profile(const AwsIdentity& identity, const std::string& name,
                   int depth = 0);

Found by_role(const AwsIdentity& identity, const AwsProfile& profile,
              int depth) {
  AwsRole role{text_of(profile, "role_arn"),
               text_of(profile, "role_session_name"),
               text_of(profile, "external_id"), identity.region};
  if (role.session.empty()) role.session = "rechunk";
  if (const std::string token = text_of(profile, "web_identity_token_file");
      !token.empty())
    return by_token_file(token, role);
  Found source;
  const std::string other = text_of(profile, "source_profile");
  const std::string where = text_of(profile, "credential_source");
  if (!other.empty()) {
    source = from_profile(identity, other, depth + 1);
  } else if (where == "Environment") {
    source = from_environment();
  } else if (where == "EcsContainer") {
    source = credentials_of_container();
  } else if (where == "Ec2InstanceMetadata") {
    source = credentials_of_machine();
  }
  if (!source)
    throw Error(ErrorKind::kInvalidArgument,
                "looking for credentials: nothing to take on the role " +
                    role.arn + " with",
                "the profile needs source_profile or credential_source");
  return take_on_role(role, source->key);
}

Found from_profile(const AwsIdentity& identity, const std::string& name,
                   int depth) {
  constexpr int kDeepest = 5;
  if (depth > kDeepest)
    throw Error(ErrorKind::kInvalidArgument,
                "looking for credentials: profiles name each other as source");
  const AwsProfile profile = read_aws_profile(name);
  const http::AwsKey key{text_of(profile, "aws_access_key_id"),
                         text_of(profile, "aws_secret_access_key"),
                         text_of(profile, "aws_session_token")};
  // A profile may be the source of its own role.
  const bool is_own_source =
      depth > 0 && text_of(profile, "source_profile") == name;
  if (!text_of(profile, "role_arn").empty() && !is_own_source)
    return by_role(identity, profile, depth);
  if (!key.id.empty() && !key.secret.empty()) return AwsCredentials{key, {}};
  if (const std::string command = text_of(profile, "credential_process");
      !command.empty())
    return parse_aws_credentials(output_of(command),
                                 "credential_process of profile " + name);
  if (profile.contains("sso_session") || profile.contains("sso_start_url"))
    throw Error(ErrorKind::kUnsupported,
                "looking for credentials: profile " + name + " signs in by SSO",
                "`aws configure export-credentials` prints keys to use");
  return std::nullopt;
}

}  // namespace

AwsCredentials find_aws_credentials(const AwsIdentity& identity) {
  if (!identity.given.id.empty()) return {identity.given, {}};
  if (identity.profile_is_given) {
    if (Found found = from_profile(identity, identity.profile)) return *found;
    throw Error(ErrorKind::kInvalidArgument,
                "looking for credentials: the profile " + identity.profile +
                    " has none");
  }
  if (Found found = from_environment()) return *found;
  if (Found found = from_web_identity(identity)) return *found;
  if (Found found = from_profile(identity, identity.profile)) return *found;
  if (Found found = credentials_of_container()) return *found;
  if (Found found = credentials_of_machine()) return *found;
  throw Error(
      ErrorKind::kInvalidArgument,
      "looking for credentials: there are none in the environment, in "
      "the profile " +
          identity.profile + ", or on this machine",
      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; "
      "for a public bucket the storage option aws_skip_signature=true");
}

AwsCredentials parse_aws_credentials(std::string_view json,
                                     std::string_view source) {
  using Json = nlohmann::json;
  Json found;
  try {
    found = parse_checked<Json>(json);
  } catch (const std::exception&) {
    found = nullptr;  // The text may hold secrets: it is not shown.
  }
  const auto member = [&](const char* name) {
    const bool is_there =
        found.is_object() && found.contains(name) && found.at(name).is_string();
    return is_there ? found.at(name).get<std::string>() : std::string();
  };
  AwsCredentials credentials{{member("AccessKeyId"), member("SecretAccessKey"),
                              member("SessionToken") + member("Token")},
                             parse_utc(member("Expiration"))};
  if (credentials.key.id.empty() || credentials.key.secret.empty())
    throw Error(ErrorKind::kIo, "looking for credentials: " +
                                    std::string(source) + " gave none");
  return credentials;
}

std::optional<system_clock::time_point> parse_utc(const std::string& text) {
  std::tm parts{};
  if (strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr)
    return std::nullopt;
  return system_clock::from_time_t(timegm(&parts));
}

}  // namespace rechunk

// Roles: credentials for some hours, from AWS's Security Token Service.
#include <ctime>
#include <string>
#include <utility>

#include "http/client.h"
#include "http/url_text.h"
#include "rechunk/error.h"
#include "store/aws_credentials.h"
#include "store/storage_options.h"
#include "store/xml.h"

namespace rechunk {
namespace {

constexpr int kOk = 200;

class StsService final : public http::Service {
 public:
  StsService(const http::AwsKey* key, std::string region)
      : key_(key), region_(std::move(region)) {}

  http::Request prepare(const http::Transfer& transfer,
                        http::Headers headers) const override {
    headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    if (key_ != nullptr)
      headers =
          http::sign_sigv4(*key_, {region_, "sts"}, transfer.method,
                           transfer.target, std::move(headers),
                           http::sha256_hex(transfer.body), std::time(nullptr));
    return {transfer.target, std::move(headers)};
  }

 private:
  const http::AwsKey* const key_;
  const std::string region_;
};

AwsCredentials ask_sts(const AwsRole& role, const http::AwsKey* key,
                       const std::string& action, std::string form) {
  const std::string region = role.region.empty() ? "us-east-1" : role.region;
  const std::string end = region.starts_with("cn-") ? ".com.cn" : ".com";
  const std::string endpoint =
      environment("AWS_ENDPOINT_URL_STS")
          .value_or("https://sts." + region + ".amazonaws" + end);
  form = "Action=" + action +
         "&Version=2011-06-15&RoleArn=" + http::percent_encoded(role.arn) +
         "&RoleSessionName=" + http::percent_encoded(role.session) + form;
  http::Client client({.requests = 1, .retry_time = std::chrono::seconds(20)},
                      std::make_shared<StsService>(key, region));
  http::Transfer transfer{.method = "POST",
                          .target = endpoint + "/",
                          .body = {std::as_bytes(std::span<const char>(form))}};
  client.run(transfer);

  const http::Answer& answer = transfer.answer;
  pugi::xml_document document;
  const pugi::xml_node found =
      parse_xml(document, answer.text, (action + "Response").c_str())
          .child((action + "Result").c_str())
          .child("Credentials");
  AwsCredentials credentials{
      {found.child_value("AccessKeyId"), found.child_value("SecretAccessKey"),
       found.child_value("SessionToken")},
      parse_utc(found.child_value("Expiration"))};
  if (answer.status == kOk && !credentials.key.id.empty()) return credentials;
  const std::string said = parse_xml(document, answer.text, "ErrorResponse")
                               .child("Error")
                               .child_value("Message");
  throw Error(
      ErrorKind::kIo,
      "taking on the role " + role.arn + ": " +
          (!answer.failure.empty() ? answer.failure
           : said.empty() ? "HTTP status " + std::to_string(answer.status)
                          : http::shown(said)));
}

}  // namespace

AwsCredentials take_on_role(const AwsRole& role, const http::AwsKey& key) {
  std::string form;
  if (!role.external_id.empty())
    form = "&ExternalId=" + http::percent_encoded(role.external_id);
  return ask_sts(role, &key, "AssumeRole", std::move(form));
}

AwsCredentials take_on_role_by_token(const AwsRole& role,
                                     const std::string& token) {
  return ask_sts(role, nullptr, "AssumeRoleWithWebIdentity",
                 "&WebIdentityToken=" + http::percent_encoded(token));
}

}  // namespace rechunk

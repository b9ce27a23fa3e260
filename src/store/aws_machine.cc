// Credentials from the container or the machine that this process runs in.
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "http/url_text.h"
#include "rechunk/error.h"
#include "store/aws_credentials.h"
#include "store/near_server.h"
#include "store/storage_options.h"

namespace rechunk {
namespace {

/// The token goes in the clear to these addresses only.
void check_container_url(const std::string& url) {
  const http::UrlParts parts = http::split_url(url);
  const std::string_view host = parts.host.substr(0, parts.host.find(':'));
  const bool is_trusted = parts.scheme == "https" ||
                          http::is_loopback(parts.host) ||
                          host == "169.254.170.2" || host == "169.254.170.23" ||
                          parts.host == "[fd00:ec2::23]";
  if (!is_trusted)
    throw Error(ErrorKind::kInvalidArgument,
                "looking for credentials: AWS_CONTAINER_CREDENTIALS_FULL_URI "
                "names a place that is not trusted: " +
                    http::shown(parts.host),
                "it must be https, or an address of this machine");
}

std::string container_token() {
  const auto path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!path)
    return environment("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  std::ifstream file(*path, std::ios::binary);
  std::string token{std::istreambuf_iterator<char>(file), {}};
  return http::shown(token, token.size());  // Without the end of the line.
}

}  // namespace

std::optional<AwsCredentials> credentials_of_container() {
  std::string url;
  if (const auto path = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    url = "http://169.254.170.2" + *path;
  } else if (const auto full =
                 environment("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    url = *full;
    check_container_url(url);
  } else {
    return std::nullopt;
  }
  http::Headers headers;
  if (const std::string token = container_token(); !token.empty())
    headers.emplace_back("Authorization", token);
  const http::Answer answer = ask_near_server("GET", url, std::move(headers));
  if (!is_good(answer))
    throw Error(
        ErrorKind::kIo,
        "looking for credentials: the container's endpoint gave none: " +
            (answer.failure.empty()
                 ? "HTTP status " + std::to_string(answer.status)
                 : answer.failure));
  return parse_aws_credentials(answer.text, "the container's endpoint");
}

std::optional<AwsCredentials> credentials_of_machine() {
  if (environment("AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
  const std::string base = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT")
                               .value_or("http://169.254.169.254") +
                           "/latest/";
  const http::Answer token =
      ask_near_server("PUT", base + "api/token",
                      {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
  if (!is_good(token)) return std::nullopt;
  const http::Headers headers{
      {"X-aws-ec2-metadata-token", http::shown(token.text, 4096)}};
  const std::string roles = base + "meta-data/iam/security-credentials/";
  const http::Answer role = ask_near_server("GET", roles, headers);
  if (!is_good(role) || role.text.empty()) return std::nullopt;
  const std::string name =
      http::shown(role.text.substr(0, role.text.find('\n')));
  const http::Answer keys =
      ask_near_server("GET", roles + http::percent_encoded(name), headers);
  if (!is_good(keys)) return std::nullopt;
  return parse_aws_credentials(keys.text, "the machine's metadata service");
}

}  // namespace rechunk

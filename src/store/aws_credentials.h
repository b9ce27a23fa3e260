// Who a request to AWS, or to a service like it, comes from. Credentials are
// looked for where all tools of AWS look, in this order:
//
// 1. the options of the place, or the profile that they name;
// 2. the environment: AWS_ACCESS_KEY_ID, ...;
// 3. a web identity: AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN;
// 4. the profile in the shared files: keys, a process, a role;
// 5. the container's endpoint, then the machine's (IMDSv2).
//
// Parts: aws_machine.cc (5), aws_sts.cc (roles).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "http/sigv4.h"
#include "rechunk/store.h"
#include "store/aws_profile.h"
#include "store/credentials.h"

namespace rechunk {

using AwsCredentials = Credentials<http::AwsKey>;

/// What decides where credentials are looked for.
struct AwsIdentity {
  http::AwsKey given;   ///< By the options of the place; empty without them.
  std::string profile;  ///< Its name.
  bool profile_is_given = false;  ///< By the options of the place.
  std::string region;
};

/// Looks everywhere. Throws: invalid_argument, io.
AwsCredentials find_aws_credentials(const AwsIdentity& identity);

/// From JSON as `credential_process` and the endpoints write it, with their
/// names: AccessKeyId, SecretAccessKey, SessionToken or Token, Expiration.
/// Throws: io; `source` says where it comes from.
AwsCredentials parse_aws_credentials(std::string_view json,
                                     std::string_view source);

/// 2026-12-01T02:30:00Z, also with fractions of seconds or +00:00.
std::optional<std::chrono::system_clock::time_point> parse_utc(
    const std::string& text);

/// Nothing if this is no container, or no machine, with credentials.
/// Throws: io, invalid_argument.
std::optional<AwsCredentials> credentials_of_container();
std::optional<AwsCredentials> credentials_of_machine();

/// Takes on a role, by a key or by a web identity's token. Throws: io.
struct AwsRole {
  std::string arn, session, external_id, region;
};
AwsCredentials take_on_role(const AwsRole& role, const http::AwsKey& key);
AwsCredentials take_on_role_by_token(const AwsRole& role,
                                     const std::string& token);

}  // namespace rechunk

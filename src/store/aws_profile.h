// Profiles in the files that the tools of AWS share: ~/.aws/config and
// ~/.aws/credentials.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rechunk {

/// Settings by name: region, aws_access_key_id, role_arn, ...
using AwsProfile = std::map<std::string, std::string>;

/// The profile as both files have it; the credentials file wins. Empty if there
/// is none. Files that cannot be read count as empty.
AwsProfile read_aws_profile(std::string_view name);

/// The sections of such a file. Indented lines belong to the setting above.
std::map<std::string, AwsProfile> parse_aws_file(std::string_view text);

}  // namespace rechunk

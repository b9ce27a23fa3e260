#include "store/aws_credentials.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/folder_testing.h"
#include "http/testing.h"
#include "rechunk/error.h"
#include "store/s3_place.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

TEST(AwsFile, HasSectionsAndSettings) {
  const auto sections = parse_aws_file(
      "lost = 1\n"
      "[default]\r\n"
      "region=eu-west-1\r\n"
      "# aws_access_key_id = no\n"
      "; nor = this\n"
      "[ profile other ]\n"
      "  aws_secret_access_key = nested, belongs to nothing\n"
      "aws_secret_access_key = a=b/c+d\n"
      "s3 =\n"
      "  region = nested\n"
      "no setting\n"
      "region = \tus-west-2 \t");
  ASSERT_EQ(sections.size(), 2);
  EXPECT_EQ(sections.at("default"), (AwsProfile{{"region", "eu-west-1"}}));
  EXPECT_EQ(sections.at("profile other"),
            (AwsProfile{{"aws_secret_access_key", "a=b/c+d"},
                        {"s3", ""},
                        {"region", "us-west-2"}}));
  EXPECT_TRUE(parse_aws_file("[").contains(""));
}

TEST(AwsTime, IsUtc) {
  const auto time = parse_utc("2026-12-01T02:30:00Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(std::chrono::system_clock::to_time_t(*time), 1796092200);
  EXPECT_EQ(parse_utc("2026-12-01T02:30:00.123456+00:00"), time);
  EXPECT_FALSE(parse_utc("tomorrow"));
}

/// With an environment and files of its own.
class AwsCredentialsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
          "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
          "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_REGION",
          "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_SKIP_SIGNATURE"})
      unsetenv(name);
    set("AWS_EC2_METADATA_DISABLED", "true");
    set("AWS_CONFIG_FILE", write("config", ""));
    set("AWS_SHARED_CREDENTIALS_FILE", write("credentials", ""));
  }

  static void set(const char* name, const std::string& value) {
    setenv(name, value.c_str(), 1);
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  /// What an S3 URL with these options finds.
  static AwsCredentials found(const StorageOptions& options = {}) {
    return find_aws_credentials(parse_s3_place("s3://b", options).identity);
  }
  static std::string error_of(const StorageOptions& options = {}) {
    try {
      found(options);
      return "no error";
    } catch (const Error& error) {
      return error.what();
    }
  }

  const TestFolder folder_;
};

TEST_F(AwsCredentialsTest, AreTakenFromTheFirstPlaceThatHasThem) {
  EXPECT_NE(error_of().find("there are none"), std::string::npos);

  http::TestServer container([](const http::Asked& asked) {
    if (asked.header("authorization") != "a token") return http::reply(403);
    return http::reply(200, R"({"AccessKeyId": "container",
        "SecretAccessKey": "s", "Token": "t",
        "Expiration": "2030-01-01T00:00:00Z"})");
  });
  set("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url() + "/keys");
  set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", write("token", "a token\n"));
  EXPECT_EQ(found().key.id, "container");
  EXPECT_EQ(found().key.session_token, "t");
  EXPECT_TRUE(found().end);

  write("config",
        "[default]\ncredential_process = echo '{\"AccessKeyId\": \"process\", "
        "\"SecretAccessKey\": \"s\"}'\n"
        "[profile two]\naws_access_key_id = two\naws_secret_access_key = s\n");
  EXPECT_EQ(found().key.id, "process");
  write("credentials",
        "[default]\naws_access_key_id=file\naws_secret_access_key=s\n");
  EXPECT_EQ(found().key.id, "file");

  set("AWS_ACCESS_KEY_ID", "environment");
  EXPECT_NE(error_of().find("only one is set"), std::string::npos);
  set("AWS_SECRET_ACCESS_KEY", "s");
  EXPECT_EQ(found().key.id, "environment");
  EXPECT_EQ(found({{"profile", "two"}}).key.id, "two");
  EXPECT_EQ(found({{"key", "option"}, {"secret", "s"}}).key.id, "option");
}

TEST_F(AwsCredentialsTest, OfARoleComeFromTheTokenService) {
  http::TestServer sts([](const http::Asked& asked) {
    const bool is_signed =
        asked.header("authorization").find("base/") != std::string::npos;
    const bool has_role =
        asked.body.find("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr") !=
        std::string::npos;
    if (!is_signed || !has_role) return http::reply(403);
    return http::reply(200,
                       "<AssumeRoleResponse xmlns=\"https://sts/\">"
                       "<AssumeRoleResult><Credentials><AccessKeyId>role"
                       "</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                       "<SessionToken>t</SessionToken><Expiration>"
                       "2030-01-01T00:00:00Z</Expiration></Credentials>"
                       "</AssumeRoleResult></AssumeRoleResponse>");
  });
  set("AWS_ENDPOINT_URL_STS", sts.url());
  set("AWS_PROFILE", "r");
  write("config",
        "[profile r]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = b\n"
        "[profile a]\nrole_arn = x\nsource_profile = c\n"
        "[profile c]\nrole_arn = x\nsource_profile = a\n"
        "[profile b]\naws_access_key_id=base\naws_secret_access_key=s\n");
  EXPECT_EQ(found().key.id, "role");
  EXPECT_TRUE(found().end);
  EXPECT_NE(error_of({{"profile", "a"}}).find("name each other"),
            std::string::npos);
}

TEST_F(AwsCredentialsTest, AreNeverInErrors) {
  const std::string secret = "TopSecret123";
  write("config", "[default]\ncredential_process = echo '{\"AccessKeyId\": \"" +
                      secret + "\", broken'\n");
  EXPECT_EQ(error_of().find(secret), std::string::npos) << error_of();
  EXPECT_NE(error_of().find("gave none"), std::string::npos) << error_of();
  for (const StorageOptions& options :
       {StorageOptions{{"key", secret}}, StorageOptions{{"secret", secret}},
        StorageOptions{{"key", secret}, {"access_key_id", "other"}},
        StorageOptions{{"endpoint", "https://me:" + secret + "@host"}},
        StorageOptions{{"anon", secret}}}) {
    const std::string error = error_of(options);
    EXPECT_NE(error, "no error");
    EXPECT_EQ(error.find(secret), std::string::npos) << error;
  }
  try {
    parse_s3_place("s3://me:" + secret + "@bucket/x", {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find(secret), std::string::npos);
  }
  EXPECT_TRUE(without_secrets({{"secret", secret},
                               {"AWS_SESSION_TOKEN", secret},
                               {"password", secret},
                               {"endpoint", "https://me:" + secret + "@host"}})
                  .empty());
  const StorageOptions open = {{"profile_name", "p"},
                               {"region_name", "eu-west-1"},
                               {"request_payer", "true"},
                               {"max_requests", "8"},
                               {"forbidden_is_missing", "true"}};
  EXPECT_EQ(without_secrets(open), open);
}

TEST_F(AwsCredentialsTest, GoToNoContainerElsewhere) {
  for (const char* url :
       {"http://example.org/keys", "http://127.0.0.1.example.org/",
        "http://[::1].example.org/", "http://[fd00:ec2::23].example.org/"}) {
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    EXPECT_NE(error_of().find("not trusted"), std::string::npos) << url;
  }
}

TEST_F(AwsCredentialsTest, AreRenewedBeforeTheyEndAndWhenAServerSaysSo) {
  write("keys", "1");
  // A new key each time; it ends in four minutes, so it is asked for again.
  write(
      "process.sh",
      "n=$(cat " + folder_ / "keys" + "); echo $((n + 1)) > " +
          folder_ / "keys" +
          "; echo \"{\\\"AccessKeyId\\\": \\\"k$n\\\", \\\"SecretAccessKey\\\""
          ": \\\"s\\\", \\\"Expiration\\\": \\\"$1\\\"}\"\n");
  const auto use = [&](const std::string& end) {
    write("config", "[default]\ncredential_process = sh " +
                        folder_ / "process.sh" + " " + end + "\n");
  };
  use("2001-01-01T00:00:00Z");
  KeptCredentials<http::AwsKey> keys([] { return found(); });
  EXPECT_EQ(keys.current().id, "k1");
  use("2100-01-01T00:00:00Z");
  EXPECT_EQ(keys.current().id, "k2");
  EXPECT_EQ(keys.current().id, "k2");
  EXPECT_TRUE(keys.renew());
  EXPECT_TRUE(keys.renew());  // Of another request with the same key.
  EXPECT_EQ(keys.current().id, "k3");
}

}  // namespace
}  // namespace rechunk

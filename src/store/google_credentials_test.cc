#include "store/google_credentials.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <utility>

#include "base/folder_testing.h"
#include "http/testing.h"
#include "rechunk/error.h"
#include "store/gcs_place.h"

namespace rechunk {
namespace {

/// With an environment and files of its own, and a service that gives tokens.
class GoogleCredentialsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT",
          "GOOGLE_SERVICE_ACCOUNT_PATH", "GOOGLE_SERVICE_ACCOUNT_KEY",
          "GOOGLE_BEARER_TOKEN", "GOOGLE_BASE_URL", "GOOGLE_SKIP_SIGNATURE",
          "GOOGLE_CLOUD_PROJECT", "STORAGE_EMULATOR_HOST", "GCE_METADATA_HOST"})
      unsetenv(name);
    set("NO_GCE_CHECK", "true");
    set("CLOUDSDK_CONFIG", folder_ / "gcloud");
  }

  static void set(const char* name, const std::string& value) {
    setenv(name, value.c_str(), 1);
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  static GcsPlace place(const StorageOptions& options = {}) {
    return parse_gcs_place("gs://b/x/", options);
  }
  static std::string found(const StorageOptions& options = {}) {
    return find_google_token(place(options).identity).key;
  }
  static std::string error_of(const StorageOptions& options = {}) {
    try {
      return "no error: " + found(options);
    } catch (const Error& error) {
      return std::string(error.what()) + " (" + error.hint() + ")";
    }
  }
  std::string user_key(const std::string& token = "refresh/1") {
    return R"({"type": "authorized_user", "client_id": "id",
               "client_secret": "TopSecret", "refresh_token": ")" +
           token + R"(", "token_uri": ")" + service_.url() + "/token\"}";
  }
  std::string service_key() {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        EVP_RSA_gen(2048), &EVP_PKEY_free);
    BIO* const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr,
                             nullptr);
    char* data = nullptr;
    const long bytes = BIO_get_mem_data(bio, &data);
    std::string pem;
    for (const char c : std::string_view(data, static_cast<std::size_t>(bytes)))
      pem += c == '\n' ? std::string("\\n") : std::string(1, c);
    BIO_free(bio);
    return R"({"type": "service_account", "client_email": "me@x",
               "private_key_id": "k", "private_key": ")" +
           pem + R"(", "token_uri": ")" + service_.url() + "/token\"}";
  }

  const TestFolder folder_;
  std::string given_ = R"({"access_token": "tok", "expires_in": 3600})";
  int status_ = 200;
  http::TestServer service_{
      [this](const http::Asked&) { return http::reply(status_, given_); }};
};

TEST_F(GoogleCredentialsTest, AreLookedForInAllUsualPlaces) {
  EXPECT_NE(error_of().find("GOOGLE_APPLICATION_CREDENTIALS"),
            std::string::npos);
  EXPECT_EQ(found({{"token", "mine"}}), "mine");
  EXPECT_EQ(found({{"bearer_token", "mine"}}), "mine");
  set("GOOGLE_BEARER_TOKEN", "env");
  EXPECT_EQ(found(), "env");
  unsetenv("GOOGLE_BEARER_TOKEN");
  const std::string file = write("key.json", user_key());
  for (const StorageOptions& options :
       {StorageOptions{{"token", file}}, StorageOptions{{"token", user_key()}},
        StorageOptions{{"service_account_key", user_key()}},
        StorageOptions{{"application_credentials", file}},
        StorageOptions{{"service_account", file}}})
    EXPECT_EQ(found(options), "tok");
  for (const char* name :
       {"GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT"}) {
    set(name, file);
    EXPECT_EQ(found(), "tok");
    unsetenv(name);
  }
  std::filesystem::create_directory(folder_ / "gcloud");
  write("gcloud/application_default_credentials.json", user_key("of/gcloud"));
  EXPECT_EQ(found(), "tok");
  EXPECT_EQ(service_.asked().back().body,
            "grant_type=refresh_token&client_id=id&client_secret=TopSecret"
            "&refresh_token=of%2Fgcloud");
  EXPECT_EQ(service_.asked().back().header("content-type"),
            "application/x-www-form-urlencoded");
}

TEST_F(GoogleCredentialsTest, OfAServiceAccountAreASignedClaim) {
  const auto before = std::chrono::system_clock::now();
  const auto token = google_token_by_key(service_key(), "the key");
  EXPECT_EQ(token.key, "tok");
  ASSERT_TRUE(token.end);
  EXPECT_GE(*token.end, before + std::chrono::seconds(3600));
  const std::string body = service_.asked().back().body;
  const std::string start =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
      "&assertion=";
  ASSERT_TRUE(body.starts_with(start)) << body;
  const std::string jwt = body.substr(start.size());
  // {"alg":"RS256","kid":"k","typ":"JWT"}
  EXPECT_TRUE(
      jwt.starts_with("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ."))
      << jwt;
  EXPECT_EQ(std::count(jwt.begin(), jwt.end(), '.'), 2);
}

TEST_F(GoogleCredentialsTest, ComeFromTheMachine) {
  unsetenv("NO_GCE_CHECK");
  set("GCE_METADATA_HOST", service_.host());
  EXPECT_EQ(found(), "tok");
  EXPECT_EQ(service_.asked().back().header("metadata-flavor"), "Google");
  EXPECT_EQ(service_.asked().back().target,
            "/computeMetadata/v1/instance/service-accounts/default/token");
  set("GOOGLE_BEARER_TOKEN", "env");
  EXPECT_EQ(found({{"token", "cloud"}}), "tok");
  status_ = 404;
  EXPECT_NE(error_of({{"token", "cloud"}}).find("on this machine"),
            std::string::npos);
}

TEST_F(GoogleCredentialsTest, AreNeverInErrors) {
  const std::string secret = "TopSecret";
  const auto check = [&](const StorageOptions& options,
                         const std::string& cause) {
    const std::string error = error_of(options);
    EXPECT_NE(error.find(cause), std::string::npos) << error;
    EXPECT_EQ(error.find(secret), std::string::npos) << error;
  };
  const auto by_key = [](const std::string& key) {
    return StorageOptions{{"service_account_key", key}};
  };
  check({{"token", "/no/such/" + secret + "\n"}}, "more than one line");
  check({{"token", "browser"}}, "application-default login");
  check({{"anon", secret}}, "neither true nor false");
  check({{"token", "{\"" + secret}}, "no key of an account");
  check(by_key("{\"type\": \"external_account\", \"x\": \"TopSecret\"}"),
        "print-access-token");
  check(by_key("{\"type\": \"authorized_user\", \"client_id\": \"TopSecret\"}"),
        "has no ");
  check(by_key("{\"type\": \"service_account\", \"client_email\": \"me\","
               "\"private_key\": \"TopSecret\"}"),
        "no RSA key");
  check(by_key("{\"type\": \"service_account\", \"client_email\": \"me\","
               "\"private_key\": \"x\", \"token_uri\": \"http://evil/\"}"),
        "not https");
  check({{"application_credentials", folder_ / "none"}}, "cannot be read");
  check({{"endpoint", "https://me:TopSecret@host"}}, "no URL of a server");
  check({{"endpoint", "http://host.example"}, {"token", secret}}, "https");
  status_ = 400;
  given_ =
      "{\"error\": \"invalid_grant\", \"error_description\": \"Bad\\u001b\"}";
  check(by_key(user_key()), "Bad");
  EXPECT_EQ(error_of(by_key(user_key())).find('\x1b'), std::string::npos);
  for (const char* given :
       {"{}", "[1]", "<html>", "{\"access_token\": \"a\\nb\"}",
        "{\"access_token\": 7, \"expires_in\": \"x\"}"}) {
    status_ = 200;
    given_ = given;
    check(by_key(user_key()), "no token");
  }
  EXPECT_TRUE(without_secrets({{"token", secret},
                               {"bearer_token", secret},
                               {"service_account_key", secret},
                               {"endpoint_url", "https://me:TopSecret@host"}})
                  .empty());
  const StorageOptions open = {{"anon", "true"},
                               {"user_project", "p"},
                               {"application_credentials", "/key.json"},
                               {"max_requests", "7"}};
  EXPECT_EQ(without_secrets(open), open);
}

TEST_F(GoogleCredentialsTest, AreNotGivenToEmulators) {
  EXPECT_EQ(place().endpoint, "https://storage.googleapis.com");
  EXPECT_EQ(place().root, "x");
  EXPECT_FALSE(place().is_anonymous);
  EXPECT_TRUE(place({{"anon", "True"}}).is_anonymous);
  EXPECT_TRUE(place({{"token", "anon"}}).is_anonymous);
  set("GOOGLE_BEARER_TOKEN", "env");
  for (const char* host : {"localhost:4443", "http://localhost:4443/"}) {
    set("STORAGE_EMULATOR_HOST", host);
    EXPECT_EQ(place().endpoint, "http://localhost:4443");
    EXPECT_TRUE(place().is_anonymous);
    EXPECT_FALSE(place({{"token", "mine"}}).is_anonymous);
  }
}

TEST_F(GoogleCredentialsTest, SayWhoPays) {
  EXPECT_EQ(place({{"user_project", "p"}}).user_project, "p");
  EXPECT_EQ(place({{"requester_pays", "p"}}).user_project, "p");
  EXPECT_EQ(place({{"requester_pays", "true"}, {"project", "p"}}).user_project,
            "p");
  EXPECT_EQ(place({{"requester_pays", "False"}}).user_project, "");
  EXPECT_THROW(place({{"requester_pays", "true"}}), Error);
  EXPECT_THROW(place({{"no_such", "option"}}), Error);
  EXPECT_THROW(parse_gcs_place("gs://", {}), Error);
  EXPECT_THROW(parse_gcs_place("gs://me@b/x", {}), Error);
}

}  // namespace
}  // namespace rechunk

#include "store/http_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "http/testing.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using http::Asked;
using http::Reply;
using http::reply;
using http::reply_range;

class HttpStoreTest : public testing::Test {
 protected:
  std::shared_ptr<Store> store(const StorageOptions& options = {}) {
    return open_http(server_.url() + "/a b%20c.zarr/", options);
  }
  std::string error_of(const StorageOptions& options = {}) {
    try {
      read_text(*store(options), "k");
      return "no error";
    } catch (const Error& error) {
      return std::string(error.what()) + " (" + error.hint() + ")";
    }
  }

  std::function<Reply(const Asked&)> answer_;
  http::TestServer server_{
      [this](const Asked& asked) { return answer_(asked); }};
};

TEST_F(HttpStoreTest, ReadsObjectsBelowItsFolder) {
  answer_ = [](const Asked& asked) {
    if (asked.target != "/a%20b%20c.zarr/g/%C3%BC%23%3F%25" ||
        asked.header("accept-encoding") != "identity")
      return reply(404);
    return asked.method == "HEAD"
               ? Reply{.bytes = "HTTP/1.1 200 so\r\nContent-Length: 5\r\n\r\n"}
               : reply_range(asked, "hello", "ETag: \"1\"\r\n");
  };
  EXPECT_EQ(read_text(*store(), "g/ü#?%"), "hello");
  EXPECT_EQ(read_text(*store()->below("g"), "ü#?%"), "hello");
  EXPECT_TRUE(has_object(*store(), "g/ü#?%"));
  EXPECT_FALSE(has_object(*store(), "other"));
  EXPECT_FALSE(read_text(*store(), "other"));
  for (const char* key : {"../k", "a//b", "./k", "a/.."})
    EXPECT_THROW(has_object(*store(), key), Error) << key;
}

TEST_F(HttpStoreTest, ReadsFromServersThatKnowLessThanTheyShould) {
  const std::string object = "0123456789";
  const std::string whole =
      "HTTP/1.1 200 so\r\nConnection: close\r\n\r\n" + object;
  const std::vector<std::function<Reply(const Asked&)>> servers = {
      // No ranges.
      [&](const Asked& asked) {
        return asked.method == "HEAD" ? reply(405) : reply(200, object);
      },
      // No HEAD.
      [&](const Asked& asked) {
        return asked.method == "HEAD" ? reply(403) : reply_range(asked, object);
      },
      // HEAD without a length.
      [&](const Asked& asked) {
        return asked.method == "HEAD"
                   ? Reply{.bytes = "HTTP/1.1 200 so\r\n\r\n", .closes = true}
                   : reply_range(asked, object);
      },
  };
  for (const auto& server : servers) {
    answer_ = server;
    ReadRequest size{.key = "k"};
    store()->read_one(size);
    EXPECT_EQ(size.object_bytes, 10);
    std::vector<std::byte> bytes(4);
    ReadRequest middle{.key = "k", .offset = 3, .destination = {bytes}};
    store()->read_one(middle);
    EXPECT_EQ(middle.bytes_read, 4);
    EXPECT_EQ(bytes[0], std::byte{'3'});
    ReadRequest beyond{.key = "k", .offset = 50, .destination = {bytes}};
    store()->read_one(beyond);
    EXPECT_TRUE(beyond.found);
    EXPECT_EQ(beyond.bytes_read, 0);
    EXPECT_EQ(beyond.object_bytes, 10);
  }
  answer_ = [&](const Asked&) { return Reply{.bytes = whole, .closes = true}; };
  EXPECT_EQ(read_text(*store(), "k"), object);
}

TEST_F(HttpStoreTest, FollowsRedirectsAndTakesNoSecretToAnotherHost) {
  http::TestServer other(
      [](const Asked& asked) { return reply_range(asked, "hello"); });
  answer_ = [&](const Asked& asked) {
    if (asked.target.find("/moved/") != std::string::npos)
      return reply(307, "", "Location: " + other.url() + "/x\r\n");
    return reply(302, "", "Location: ../moved/k#part\r\n");
  };
  EXPECT_EQ(read_text(*store({{"bearer_token", "secret"}}), "k"), "hello");
  ASSERT_EQ(server_.asked().size(), 2);
  for (const Asked& asked : server_.asked())
    EXPECT_EQ(asked.header("authorization"), "Bearer secret");
  EXPECT_EQ(other.asked().at(0).header("authorization"), "");
  EXPECT_EQ(other.asked().at(0).target, "/x");
}

TEST_F(HttpStoreTest, EndsRedirectsThatGoNowhereOrInCircles) {
  for (const char* place : {"ftp://127.0.0.1/k", "file:///etc/passwd", "k"}) {
    answer_ = [&](const Asked&) {
      return reply(302, "", "Location: " + std::string(place) + "\r\n");
    };
    EXPECT_NE(error_of(), "no error") << place;
  }
  EXPECT_LT(server_.asked().size(), 10);
}

TEST_F(HttpStoreTest, SaysWhoAsks) {
  answer_ = [](const Asked& asked) {
    const bool is_known =
        asked.header("authorization") == "Basic bWU6c2U6Y3JldA==";
    return is_known ? reply_range(asked, "hello") : reply(401);
  };
  EXPECT_EQ(
      read_text(*store({{"username", "me"}, {"password", "se:cret"}}), "k"),
      "hello");
  const std::string error =
      error_of({{"username", "me"}, {"password", "other"}});
  EXPECT_NE(error.find("bearer_token"), std::string::npos) << error;
  EXPECT_EQ(error.find("other"), std::string::npos) << error;
}

TEST_F(HttpStoreTest, DoesNotTakeWhatIsForbiddenForMissing) {
  answer_ = [](const Asked&) { return reply(403); };
  EXPECT_NE(error_of().find("forbidden_is_missing"), std::string::npos);
  EXPECT_FALSE(read_text(*store({{"forbidden_is_missing", "true"}}), "k"));
  answer_ = [](const Asked&) { return reply(410); };
  EXPECT_FALSE(has_object(*store(), "k"));
}

TEST_F(HttpStoreTest, RefusesCompressedAnswers) {
  answer_ = [](const Asked& asked) {
    return reply_range(asked, "hello", "Content-Encoding: gzip\r\n");
  };
  EXPECT_NE(error_of().find("gzip"), std::string::npos) << error_of();
}

TEST_F(HttpStoreTest, OpensNoUrlThatMayHoldASecret) {
  for (const char* url : {"https://me:secret@host/x", "https://secret@host/x",
                          "https://host/x?sig=secret", "https:///secret"}) {
    try {
      open_http(url, {});
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    }
  }
  for (const StorageOptions& options :
       {StorageOptions{{"bearer_token", "secret\r\nX: y"}},
        StorageOptions{{"bearer_token", "secret"}, {"username", "me"}},
        StorageOptions{{"password", "secret"}}}) {
    try {
      store(options);
      ADD_FAILURE() << "opened";
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    }
  }
}

TEST_F(HttpStoreTest, CanOnlyBeReadAndNotListed) {
  EXPECT_FALSE(store()->can_list());
  EXPECT_THROW(keys_below(*store(), ""), Error);
  EXPECT_THROW(write_text(*store(), "k", "x"), Error);
  EXPECT_TRUE(server_.asked().empty());
}

}  // namespace
}  // namespace rechunk

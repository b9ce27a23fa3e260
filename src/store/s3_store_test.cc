// What an S3 server may answer. That the store works with a real one is tested
// by store_test.cc and tests/test_s3.py.
#include "store/s3_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "base/folder_testing.h"
#include "http/testing.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using http::Asked;
using http::Reply;
using http::reply;
using http::reply_range;

class S3StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE",
          "AWS_SKIP_SIGNATURE", "AWS_REGION", "AWS_DEFAULT_REGION"})
      unsetenv(name);
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
  }

  std::shared_ptr<Store> store(const std::string& prefix = "p") {
    return open_s3(
        "s3://bucket/" + prefix,
        {{"endpoint", server_.url()}, {"key", "id"}, {"secret", "hidden"}});
  }
  std::string error_of(const std::function<void(Store&)>& action) {
    const auto opened = store();
    try {
      action(*opened);
      return "no error";
    } catch (const Error& error) {
      return std::string(error.what()) + " (" + error.hint() + ")";
    }
  }
  static void list(Store& store) {
    store.list("", [](auto, auto) {});
  }
  std::string read_error() {
    return error_of([](Store& store) { read_text(store, "k"); });
  }
  int requests(std::string_view method) const {
    const auto asked = server_.asked();
    return static_cast<int>(
        std::count_if(asked.begin(), asked.end(),
                      [&](const Asked& one) { return one.method == method; }));
  }

  std::function<Reply(const Asked&)> answer_;
  http::TestServer server_{
      [this](const Asked& asked) { return answer_(asked); }};
};

std::string page(const std::string& keys, const std::string& token = {}) {
  return "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3/\">"
         "<EncodingType>url</EncodingType><IsTruncated>" +
         std::string(token.empty() ? "false" : "true") + "</IsTruncated>" +
         "<NextContinuationToken>" + token + "</NextContinuationToken>" + keys +
         "</ListBucketResult>";
}
std::string entry(const std::string& key, const std::string& bytes = "7") {
  return "<Contents><Key>" + key + "</Key><Size>" + bytes +
         "</Size></Contents>";
}
std::string failure(const std::string& code, const std::string& more = {}) {
  return "<Error><Code>" + code + "</Code><Message>said &lt;so&gt;</Message>" +
         more + "</Error>";
}

TEST_F(S3StoreTest, ListsPagesAndDecodesKeys) {
  answer_ = [](const Asked& asked) {
    return asked.target.find("continuation-token=a%2Bb%2F") == std::string::npos
               ? reply(200,
                       page(entry("p/a+b%2Bc") + entry("p/folder/"), "a+b/"))
               : reply(200, page(entry("p/%C3%BC%26&amp;", "0")));
  };
  std::map<std::string, std::int64_t> found;
  store()->list("", [&](std::string_view key, std::int64_t bytes) {
    found.emplace(key, bytes);
  });
  EXPECT_EQ(found,
            (std::map<std::string, std::int64_t>{{"a b+c", 7}, {"ü&&", 0}}));
}

TEST_F(S3StoreTest, RefusesListingsThatMakeNoSense) {
  const std::string doctype =
      "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>";
  const std::vector<std::pair<std::string, std::string>> pages = {
      {"", "no listing"},
      {"<html><body>hello</body></html>", "no listing"},
      {"{\"keys\": []}", "no listing"},
      {"<ListBucketResult><Contents>", "no listing"},
      {"<Other></Other>", "no listing"},
      {page(entry("other/a")), "another object"},
      {page(entry("")), "another object"},
      {page(entry("p/a", "-1")), "another object"},
      {page(entry("p/a", "many")), "another object"},
      {page(entry("p/a", "99999999999999999999")), "another object"},
      {page(entry("p/a"), "again"), "does not go on"},
      {doctype + page(entry("&e;")), "another object"},
      {std::string(9 << 20, ' '), "too long"},
  };
  for (const auto& [text, cause] : pages) {
    answer_ = [&, &body = text](const Asked&) { return reply(200, body); };
    const std::string error = error_of(list);
    EXPECT_NE(error.find(cause), std::string::npos)
        << error << " for " << text.substr(0, 200);
  }
  // Two pages that name each other.
  std::atomic<int> pages_sent = 0;
  answer_ = [&](const Asked&) {
    return reply(200, page(entry("p/a"), pages_sent++ % 2 == 0 ? "x" : "y"));
  };
  EXPECT_NE(error_of(list).find("does not go on"), std::string::npos);
  EXPECT_LT(pages_sent, 5);
}

TEST_F(S3StoreTest, SaysWhatTheServerSaysAndWhatToDo) {
  const std::vector<std::pair<Reply, std::string>> answers = {
      {reply(404, failure("NoSuchBucket")), "check the bucket's name"},
      {reply(403, failure("AccessDenied")), "aws_skip_signature"},
      {reply(403), "aws_skip_signature"},
      {reply(403, failure("InvalidAccessKeyId")), "AWS_ACCESS_KEY_ID"},
      {reply(403, failure("CodeOfAnotherServer")), "AWS_ACCESS_KEY_ID"},
      {reply(403, failure("RequestTimeTooSkewed"),
             "Date: Tue, 01 Dec 2026 04:44:41 GMT\r\n"),
       "clock of this machine; the server's says Tue, 01 Dec 2026"},
      {reply(200, "<html>who are you?", "Content-Type: text/html\r\n"),
       "a web page"},
      {reply(400, failure("AuthorizationHeaderMalformed")), "AWS_REGION"},
      {reply(301, failure("PermanentRedirect")), "AWS_REGION"},
      {reply(404, "<!DOCTYPE html><html>no</html>"), "a web page"},
      {reply(400, "a\r\n\x1b[31m<Error><Code>"), "HTTP status 400"},
  };
  for (const auto& [made, wanted] : answers) {
    answer_ = [&, &bytes = made](const Asked&) { return bytes; };
    const std::string error = read_error();
    EXPECT_NE(error.find("s3://bucket/p/k"), std::string::npos) << error;
    EXPECT_NE(error.find(wanted), std::string::npos) << error;
    EXPECT_EQ(error.find("hidden"), std::string::npos) << error;
    EXPECT_EQ(error.find('\x1b'), std::string::npos);
  }
  answer_ = [](const Asked&) {
    return reply(403, failure("\x1b[2J" + std::string(9000, 'x')));
  };
  EXPECT_EQ(read_error().find('\x1b'), std::string::npos);
  EXPECT_LT(read_error().size(), 1000);
}

// As servers of TLS do, which cannot read what they are sent.
TEST_F(S3StoreTest, GivesUpSoonIfTheServerNeverSaysAWord) {
  answer_ = [](const Asked&) { return Reply{.resets = true}; };
  const auto start = std::chrono::steady_clock::now();
  const std::string error = read_error();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
  EXPECT_NE(error.find("https://"), std::string::npos) << error;
}

TEST_F(S3StoreTest, FollowsNoRedirectsToOtherHosts) {
  http::TestServer other([](const Asked&) { return reply(200, "stolen"); });
  for (const int status : {301, 302, 307, 308}) {
    answer_ = [&, code = status](const Asked&) {
      return reply(code, "", "Location: " + other.url() + "/p/k\r\n");
    };
    EXPECT_NE(read_error(), "no error");
  }
  EXPECT_TRUE(other.asked().empty());
}

TEST_F(S3StoreTest, GoesToTheRegionThatItIsTold) {
  answer_ = [](const Asked& asked) {
    const bool is_right =
        asked.header("authorization").find("/eu-west-1/") != std::string::npos;
    if (is_right) return reply_range(asked, "hello");
    // HEAD has no text.
    return reply(400, asked.method == "HEAD"
                          ? ""
                          : failure("AuthorizationHeaderMalformed",
                                    "<Region>eu-west-1</Region>"));
  };
  EXPECT_EQ(read_text(*store(), "k"), "hello");
  EXPECT_TRUE(has_object(*store(), "k"));
}

TEST_F(S3StoreTest, RenewsCredentialsThatHaveEnded) {
  const TestFolder folder;
  const std::string file = folder / "credentials";
  const auto use = [&](const std::string& token) {
    std::ofstream(file) << "[default]\naws_access_key_id=a\n"
                           "aws_secret_access_key=b\naws_session_token="
                        << token << "\n";
  };
  setenv("AWS_SHARED_CREDENTIALS_FILE", file.c_str(), 1);
  use("old");
  bool is_new = false;
  std::mutex mutex;
  answer_ = [&](const Asked& asked) {
    if (asked.header("x-amz-security-token") == "new")
      return reply_range(asked, "hello");
    // The first one that is refused finds the new token.
    const std::lock_guard lock(mutex);
    if (!std::exchange(is_new, true)) use("new");
    return reply(400, failure("ExpiredToken"));
  };
  const auto opened = open_s3("s3://bucket/p", {{"endpoint", server_.url()}});
  std::vector<std::byte> bytes(8 * 5);
  std::vector<ReadRequest> reads;
  for (std::size_t at = 0; at < 8; ++at)
    reads.push_back({.key = std::to_string(at),
                     .destination = {std::span(bytes).subspan(5 * at, 5)}});
  opened->read_all(reads);
  for (const ReadRequest& read : reads) EXPECT_EQ(read.bytes_read, 5);
  // Without new ones it is an error, soon.
  answer_ = [](const Asked&) { return reply(400, failure("ExpiredToken")); };
  EXPECT_NE(read_error().find("get new credentials"), std::string::npos);
}

TEST_F(S3StoreTest, CreatesAnObjectWhoseAnswerWasLost) {
  for (const bool is_ours : {true, false}) {
    std::atomic<int> puts = 0;
    answer_ = [&](const Asked& asked) -> Reply {
      if (asked.method == "GET")
        return reply_range(asked, is_ours ? "mine" : "theirs");
      if (puts++ == 0) return {.bytes = "", .resets = true};
      return reply(412, failure("PreconditionFailed"));
    };
    const std::string mine = "mine";
    EXPECT_EQ(store()->create_if_absent(
                  "lock", std::as_bytes(std::span<const char>(mine))),
              is_ours);
  }
  // Obeys no conditions.
  answer_ = [](const Asked&) { return reply(200, "", "ETag: \"aa\"\r\n"); };
  EXPECT_NE(error_of([](Store& store) {
              store.create_if_absent("lock", {});
            }).find("ignores If-None-Match"),
            std::string::npos);
}

TEST_F(S3StoreTest, DoesNotBelieveAPageThatSaysYesToEverything) {
  answer_ = [](const Asked&) { return reply(200, "<html>Sign in</html>"); };
  EXPECT_NE(error_of([](Store& store) {
              write_text(store, "a", "text");
            }).find("not as S3 does"),
            std::string::npos);
}

/// Takes uploads in parts; `complete` answers requests that end one.
Reply take_upload(const Asked& asked, const std::function<Reply()>& complete) {
  if (asked.method == "POST")
    return asked.target.ends_with("uploads=")
               ? reply(200,
                       "<InitiateMultipartUploadResult><UploadId>u+1"
                       "</UploadId></InitiateMultipartUploadResult>")
               : complete();
  return asked.method == "DELETE" ? reply(204)
                                  : reply(200, "", "ETag: \"aa\"\r\n");
}

TEST_F(S3StoreTest, BelievesTheTextOfACompletedUploadNotItsStatus) {
  const std::vector<std::byte> bytes(11 << 20);
  const auto write = [&](Store& store) {
    const auto writer = store.open_writer("k");
    writer->append(bytes);
    writer->commit();
  };
  std::atomic<int> ends = 0;
  answer_ = [&](const Asked& asked) {
    return take_upload(asked, [&] {
      return ends++ == 0
                 ? reply(200, "  \n" + failure("InternalError"))
                 : reply(200,
                         "<CompleteMultipartUploadResult xmlns=\"http://s3/\">"
                         "<ETag>x</ETag></CompleteMultipartUploadResult>");
    });
  };
  EXPECT_EQ(error_of(write), "no error");
  EXPECT_EQ(ends, 2);
  EXPECT_EQ(requests("DELETE"), 0);
  answer_ = [&](const Asked& asked) {
    return take_upload(asked,
                       [] { return reply(200, failure("InvalidPart")); });
  };
  EXPECT_NE(error_of(write).find("InvalidPart"), std::string::npos);
  EXPECT_EQ(requests("DELETE"), 1);  // Nothing is left.
}

// The caller's memory goes when the error comes.
TEST_F(S3StoreTest, StopsWhatIsInFlightIfTheCallerThrows) {
  answer_ = [](const Asked& asked) {
    if (asked.target.find("/p/0") == std::string::npos)
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return reply_range(asked, "0123456789");
  };
  const auto opened = store();
  for (int round = 0; round < 3; ++round) {
    std::vector<std::byte> bytes(30 * 10);
    std::vector<ReadRequest> reads;
    for (std::size_t at = 0; at < 30; ++at)
      reads.push_back({.key = std::to_string(at),
                       .destination = {std::span(bytes).subspan(10 * at, 10)}});
    EXPECT_THROW(opened->read_many(reads,
                                   [](ReadRequest&) -> bool {
                                     throw std::runtime_error("enough");
                                   }),
                 std::runtime_error);
  }
  EXPECT_EQ(read_text(*opened, "0"), "0123456789");
}

TEST_F(S3StoreTest, RefusesKeysThatLeaveThePrefix) {
  answer_ = [](const Asked&) { return reply(200, "x"); };
  for (const char* key : {"../a", "a/../../b", "a//b", "./a", "/a", "a/"})
    EXPECT_THROW(has_object(*store(), key), Error) << key;
  EXPECT_TRUE(server_.asked().empty());
}

}  // namespace
}  // namespace rechunk

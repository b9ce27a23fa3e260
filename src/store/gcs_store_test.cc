// What Google's store may answer. That the store works with a real server is
// tested by store_test.cc and tests/test_gcs.py.
#include "store/gcs_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include "base/folder_testing.h"
#include "http/testing.h"
#include "http/url_text.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using http::Asked;
using http::Reply;
using http::reply;
using http::reply_range;

constexpr std::string_view kWritten = R"({"generation": "1", "size": "3"})";

class GcsStoreTest : public testing::Test {
 protected:
  std::shared_ptr<Store> store(StorageOptions options = {}) {
    options["endpoint"] = server_.url();
    if (!options.contains("token")) options["token"] = "hidden";
    return open_gcs("gs://bucket/p", options);
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

  std::function<Reply(const Asked&)> answer_;
  http::TestServer server_{
      [this](const Asked& asked) { return answer_(asked); }};
};

std::string page(const std::string& items, const std::string& token = {}) {
  return R"({"kind": "storage#objects", "nextPageToken": ")" + token +
         R"(", "items": [)" + items + "]}";
}
std::string entry(const std::string& name, const std::string& bytes = "7") {
  return R"({"name": ")" + name + R"(", "size": ")" + bytes + R"("})";
}
std::string failure(const std::string& reason, const std::string& message) {
  return R"({"error": {"code": 1, "message": ")" + message +
         R"(", "errors": [{"reason": ")" + reason + R"("}]}})";
}

TEST_F(GcsStoreTest, AsksForRangesAndSizes) {
  answer_ = [](const Asked& asked) {
    if (asked.header("authorization") != "Bearer hidden") return reply(401);
    const std::string object = "/storage/v1/b/bucket/o/p%2Fa%20b%2F%C3%BC?";
    if (asked.target == object + "alt=media&userProject=me")
      return reply_range(asked, "hello", "X-Goog-Generation: 17\r\n");
    if (asked.target == object + "fields=generation%2Csize&userProject=me")
      return reply(200, R"({"generation": "17", "size": "5"})");
    return reply(404, "No such object: bucket/p/x");
  };
  const auto opened = store({{"user_project", "me"}});
  EXPECT_EQ(read_text(*opened, "a b/ü"), "hello");
  EXPECT_FALSE(has_object(*opened, "x"));
  ReadRequest size{.key = "a b/ü"}, range{.key = "a b/ü", .offset = 3};
  std::vector<std::byte> bytes(5);
  range.destination = {bytes};
  opened->read_one(size);
  opened->read_one(range);
  EXPECT_EQ(size.object_bytes, 5);
  EXPECT_EQ(range.bytes_read, 2);
  EXPECT_NE(size.version, 0);
  EXPECT_EQ(size.version, range.version);
  range.offset = 9;  // Beyond the end.
  opened->read_one(range);
  EXPECT_TRUE(range.found);
  EXPECT_EQ(range.bytes_read, 0);
  EXPECT_EQ(range.object_bytes, 5);
  for (const char* key : {"../k", "a//b", "./k", "a/.."})
    EXPECT_THROW(has_object(*opened, key), Error) << key;
}

TEST_F(GcsStoreTest, ListsPages) {
  answer_ = [](const Asked& asked) {
    if (asked.target.find("prefix=p%2F") == std::string::npos)
      return reply(400);
    return asked.target.find("&pageToken=a%2Bb%2F") == std::string::npos
               ? reply(200,
                       page(entry("p/a+b\\u00fc") + "," + entry("p/folder/") +
                                "," + entry("p/a.12-3.partial"),
                            "a+b/"))
               : reply(200, page(entry("p/c", "0")));
  };
  std::map<std::string, std::int64_t> found;
  store()->list("", [&](std::string_view key, std::int64_t bytes) {
    found.emplace(key, bytes);
  });
  EXPECT_EQ(found,
            (std::map<std::string, std::int64_t>{{"a+bü", 7}, {"c", 0}}));
  answer_ = [](const Asked&) { return reply(200, "{}"); };
  EXPECT_TRUE(keys_below(*store(), "").empty());
}

TEST_F(GcsStoreTest, RefusesListingsThatMakeNoSense) {
  const std::vector<std::pair<std::string, std::string>> pages = {
      {"", "no listing"},
      {"<html><body>hello</body></html>", "no listing"},
      {"[]", "no listing"},
      {R"({"items": 7})", "no listing"},
      {R"({"items": [{"name": "p/a", "size": 7}]})", "no listing"},
      {R"({"nextPageToken": 7})", "no listing"},
      {page(entry("other/a")), "another object"},
      {page(entry("")), "another object"},
      {page(entry("p/a", "-1")), "another object"},
      {page(entry("p/a", "99999999999999999999")), "another object"},
      {page(entry("p/a"), "again"), "does not go on"},
      {std::string(100, '['), "no listing"},
      {std::string(17 << 20, ' '), "too long"},
  };
  for (const auto& [text, cause] : pages) {
    answer_ = [&, &body = text](const Asked&) { return reply(200, body); };
    const std::string error = error_of(list);
    EXPECT_NE(error.find(cause), std::string::npos)
        << error << " for " << text.substr(0, 200);
  }
}

TEST_F(GcsStoreTest, SaysWhatTheServerSaysAndWhatToDo) {
  const std::vector<std::pair<Reply, std::string>> answers = {
      {reply(404, failure("notFound", "The specified bucket does not exist.")),
       "check the bucket's name"},
      {reply(404, "The specified bucket does not exist."), "bucket's name"},
      {reply(400, failure("required",
                          "Bucket is a requester pays bucket but "
                          "no user project provided.")),
       "user_project"},
      {reply(401, failure("authError", "Invalid Credentials")), "gcloud auth"},
      {reply(403, failure("forbidden",
                          "me does not have storage.objects.get "
                          "access")),
       "anon=true"},
      {reply(403), "anon=true"},
      {reply(400, "<!DOCTYPE html><html>no</html>"), "a web page"},
      {reply(418, "a\r\n\x1b[31mb"), "HTTP status 418: a [31mb"},
      {reply(418, failure("x", std::string(9000, 'x'))), "HTTP status 418"},
      {reply(200, "x", "Content-Type: text/html\r\n"), "a web page"},
      {reply(200, "x", "Content-Encoding: gzip\r\n"), "gzip"},
      {reply(200, "x", "X-Goog-Stored-Content-Encoding: gzip\r\n"), "gzip"},
  };
  for (const auto& [made, wanted] : answers) {
    answer_ = [&, &bytes = made](const Asked&) { return bytes; };
    const std::string error = read_error();
    EXPECT_NE(error.find("gs://bucket/p/k"), std::string::npos) << error;
    EXPECT_NE(error.find(wanted), std::string::npos) << error;
    EXPECT_EQ(error.find("hidden"), std::string::npos) << error;
    EXPECT_EQ(error.find('\x1b'), std::string::npos);
    EXPECT_LT(error.size(), 1000);
  }
}

TEST_F(GcsStoreTest, TakesNoPageToSignInAtForSuccess) {
  answer_ = [](const Asked&) { return reply(200, "<html>who are you?"); };
  for (const auto& action : std::vector<std::function<void(Store&)>>{
           [](Store& store) { write_text(store, "k", "x"); },
           [](Store& store) { store.create_if_absent("k", {}); },
           [](Store& store) { has_object(store, "k"); }})
    EXPECT_NE(error_of(action).find("not as Google's store"), std::string::npos)
        << error_of(action);
}

TEST_F(GcsStoreTest, RepeatsWhatIsThrottledAndFollowsNoRedirect) {
  std::atomic<int> asked_times = 0;
  answer_ = [&](const Asked& asked) {
    return asked_times++ == 0
               ? reply(403, failure("rateLimitExceeded", "too fast"))
               : reply_range(asked, "hello");
  };
  EXPECT_EQ(read_text(*store(), "k"), "hello");
  http::TestServer other([](const Asked&) { return reply(200, "stolen"); });
  answer_ = [&](const Asked&) {
    return reply(302, "", "Location: " + other.url() + "/\r\n");
  };
  EXPECT_NE(read_error(), "no error");
  EXPECT_TRUE(other.asked().empty());
}

TEST_F(GcsStoreTest, CreatesOnceAlsoIfTheAnswerIsLost) {
  std::mutex mutex;
  std::string object;
  int answers_to_lose = 1;
  answer_ = [&](const Asked& asked) {
    const std::lock_guard lock(mutex);
    if (asked.method == "GET") return reply_range(asked, object);
    if (asked.target.find("&ifGenerationMatch=0&") == std::string::npos)
      return reply(400);
    if (!object.empty()) return reply(412);
    object = asked.body;
    if (answers_to_lose-- > 0) return Reply{.closes = true};
    return reply(200, kWritten);
  };
  const auto bytes = std::as_bytes(std::span<const char>("mine", 4));
  const auto other = std::as_bytes(std::span<const char>("theirs", 6));
  EXPECT_TRUE(store()->create_if_absent("lock", bytes));
  EXPECT_FALSE(store()->create_if_absent("lock", other));
  object.clear();
  EXPECT_TRUE(store()->create_if_absent("lock", bytes));
  answer_ = [](const Asked&) { return reply(200, kWritten); };
  EXPECT_NE(error_of([&](Store& store) {
              store.create_if_absent("lock", bytes);
            }).find("two processes"),
            std::string::npos);
}

TEST_F(GcsStoreTest, GetsANewTokenWhenTheOldOneHasEnded) {
  std::atomic<int> given = 0;
  http::TestServer tokens([&](const Asked&) {
    return reply(200, "{\"access_token\": \"t" + std::to_string(++given) +
                          "\", \"expires_in\": 3600}");
  });
  const TestFolder folder;
  std::ofstream(folder / "key.json")
      << R"({"type": "authorized_user", "client_id": "a", "client_secret": "b",
             "refresh_token": "c", "token_uri": ")"
      << tokens.url() << "/\"}";
  answer_ = [](const Asked& asked) {
    return asked.header("authorization") == "Bearer t2"
               ? reply_range(asked, "hello")
               : reply(401, failure("authError", "Invalid Credentials"));
  };
  EXPECT_EQ(read_text(*store({{"token", folder / "key.json"}}), "k"), "hello");
  EXPECT_EQ(given, 2);
}

/// Keeps objects, and takes uploads as Google does: a part of what it is sent,
/// in whole units, unless it is the end.
class Uploads {
 public:
  Reply answer(const Asked& asked) {
    const std::lock_guard lock(mutex_);
    const std::string name = http::percent_decoded(after(asked, "&name="));
    if (asked.target.find("uploadType=media") != std::string::npos)
      return written(name, asked.body);
    if (asked.target.find("uploadType=resumable") != std::string::npos) {
      begun_ = name;
      bytes_.clear();
      return reply(200, "",
                   "Location: http://elsewhere/upload/x?upload_id=1\r\n");
    }
    if (asked.target == "/upload/x?upload_id=1") return put(asked);
    if (asked.target.find("/compose?") != std::string::npos) return join(asked);
    if (asked.method != "DELETE") return reply(404);
    const auto start = asked.target.find("/o/") + 3;
    objects.erase(http::percent_decoded(asked.target.substr(start)));
    return reply(204);
  }

  std::map<std::string, std::string> objects;
  int cancelled = 0, joined = 0;
  bool is_greedy = false;  ///< Takes some bytes twice.

 private:
  static std::string after(const Asked& asked, const std::string& mark) {
    const auto at = asked.target.find(mark);
    if (at == std::string::npos) return {};
    const auto start = at + mark.size();
    return asked.target.substr(start, asked.target.find('&', start) - start);
  }
  Reply written(const std::string& name, const std::string& bytes) {
    objects[name] = bytes;
    return reply(200, R"({"generation": "1", "size": ")" +
                          std::to_string(bytes.size()) + "\"}");
  }
  Reply put(const Asked& asked) {
    constexpr std::size_t kUnit = 256 << 10;
    if (asked.method == "DELETE") {
      ++cancelled;
      return reply(499);
    }
    const std::string range = asked.header("content-range");  // bytes 0-9/*
    if (range.starts_with("bytes ") && range[6] != '*' &&
        std::stoull(range.substr(6)) != bytes_.size())
      return reply(400, "a gap");
    const std::size_t room = 5 * kUnit;
    const bool is_last = !range.ends_with("/*");
    const bool fits = asked.body.size() <= room;
    if (!is_last && asked.body.size() % kUnit != 0)
      return reply(400, "no unit");
    bytes_ += asked.body.substr(0, room);
    if (is_greedy) bytes_ += "twice";
    if (is_last && fits) return written(begun_, bytes_);
    return reply(
        308, "",
        "Range: bytes=0-" + std::to_string(bytes_.size() - 1) + "\r\n");
  }
  Reply join(const Asked& asked) {
    ++joined;
    std::string whole;
    for (auto at = asked.body.find("{\"name\":\""); at != std::string::npos;
         at = asked.body.find("{\"name\":\"", at + 1)) {
      const auto start = at + 9;
      whole += objects.at(
          asked.body.substr(start, asked.body.find('"', start) - start));
    }
    const auto start = asked.target.find("/o/") + 3;
    return written(http::percent_decoded(asked.target.substr(
                       start, asked.target.find("/compose") - start)),
                   whole);
  }

  std::mutex mutex_;
  std::string begun_, bytes_;
};

TEST_F(GcsStoreTest, WritesObjectsOfAnySizeWithAndWithoutAHeader) {
  Uploads uploads;
  answer_ = [&](const Asked& asked) { return uploads.answer(asked); };
  std::mt19937 random(1);
  std::string bytes(20 << 20, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  const auto all = std::as_bytes(std::span<const char>(bytes));
  const auto opened = store();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{5}, std::size_t{8} << 20,
        (std::size_t{8} << 20) + 1, std::size_t{20} << 20}) {
    for (const std::size_t step :
         {std::size_t{20} << 20, std::size_t{777777}}) {
      for (const std::size_t header : {0, 13}) {
        if (header > size) continue;
        const auto writer =
            opened->open_writer("a/b c", static_cast<std::int64_t>(header));
        for (std::size_t at = header; at < size; at += step)
          writer->append(all.subspan(at, std::min(step, size - at)));
        EXPECT_TRUE(!uploads.objects.contains("p/a/b c"));
        writer->commit(all.first(header));
        EXPECT_EQ(uploads.objects["p/a/b c"], bytes.substr(0, size))
            << size << " in steps of " << step << " behind " << header;
        uploads.objects.erase("p/a/b c");
      }
    }
  }
  EXPECT_TRUE(uploads.objects.empty()) << uploads.objects.begin()->first;
  EXPECT_EQ(uploads.cancelled, 0);
  EXPECT_GT(uploads.joined, 0);
}

TEST_F(GcsStoreTest, LeavesNothingOfUploadsThatFail) {
  Uploads uploads;
  answer_ = [&](const Asked& asked) { return uploads.answer(asked); };
  const std::vector<std::byte> bytes(9 << 20);
  store()->open_writer("lost")->append(bytes);
  EXPECT_EQ(uploads.cancelled, 1);
  EXPECT_TRUE(uploads.objects.empty());
  uploads.is_greedy = true;
  for (const std::size_t header : {0, 13}) {
    const std::string error = error_of([&](Store& opened) {
      const auto writer =
          opened.open_writer("k", static_cast<std::int64_t>(header));
      writer->append(bytes);
      writer->commit(std::span(bytes).first(header));
    });
    EXPECT_NE(error.find("gs://bucket/p/k"), std::string::npos) << error;
    EXPECT_TRUE(uploads.objects.empty());
  }
}

}  // namespace
}  // namespace rechunk

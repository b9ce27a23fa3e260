#include "rechunk/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <ostream>
#include <random>
#include <sstream>
#include <thread>

#include "base/folder_testing.h"
#include "rechunk/error.h"
#include "store/place.h"
#include "store/stores.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

std::vector<std::byte> random_bytes(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(count);
  for (std::byte& value : bytes) value = static_cast<std::byte>(random());
  return bytes;
}

std::map<std::string, std::int64_t> listed(const Store& store,
                                           const std::string& prefix) {
  std::map<std::string, std::int64_t> found;
  store.list(prefix, [&](std::string_view key, std::int64_t bytes) {
    found.emplace(key, bytes);
  });
  return found;
}

/// A kind of store, and how to open a new one that uses that folder at most, or
/// a place of that name; nullptr if no server is there to try it.
struct Kind {
  std::string name;
  std::function<std::shared_ptr<Store>(const fs::path& folder)> open;
};

std::ostream& operator<<(std::ostream& out, const Kind& kind) {
  return out << kind.name;
}

/// Remote places lie where RECHUNK_TEST_PLACES says, by scheme: a list like
/// "s3://bucket/tests gs://bucket/tests". tests/test_s3.py starts servers.
std::shared_ptr<Store> open_row(const StoreRow& row, const fs::path& folder) {
  if (is_local(std::string(row.scheme)))
    return open_store(std::string(row.scheme) + folder.string());
  const char* const places = std::getenv("RECHUNK_TEST_PLACES");
  std::istringstream words(places ? places : "");
  for (std::string place; words >> place;)
    if (place.starts_with(row.scheme))
      return open_store(place + "/" + folder.parent_path().filename().string());
  return nullptr;
}

/// All of the table, and those that callers make.
std::vector<Kind> kinds() {
  std::vector<Kind> all = {
      {"memory", [](const fs::path&) { return make_memory_store(); }}};
  for (const StoreRow& row : kStores) {
    if (row.open == open_http) continue;  // Only read: http_store_test.cc.
    all.push_back({std::string(row.name), [&row](const fs::path& folder) {
                     return open_row(row, folder);
                   }});
  }
  return all;
}

// What every store must do.
class AnyStore : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    store_ = GetParam().open(folder_ / "store");
    if (!store_)
      GTEST_SKIP() << "RECHUNK_TEST_PLACES has no place at " << GetParam().name;
  }

  const TestFolder folder_;
  std::shared_ptr<Store> store_;
};

TEST_P(AnyStore, ListsUntilTheVisitorHasSeenEnough) {
  for (int object = 0; object < 40; ++object)
    write_text(*store_,
               "a/" + std::to_string(object % 4) + "/" + std::to_string(object),
               "x");
  for (const int wanted : {1, 3, 17, 40, 50}) {
    std::map<std::string, int> seen;
    store_->scan("a", [&](std::string_view key, std::int64_t) {
      ++seen[std::string(key)];
      return static_cast<int>(seen.size()) < wanted;
    });
    EXPECT_EQ(static_cast<int>(seen.size()), std::min(wanted, 40));
  }
  int visits = 0;
  store_->scan("a/0/0", [&](auto, auto) { return ++visits < 1; });
  EXPECT_EQ(visits, 1);
}

// Whose last object goes takes its folders along.
TEST_P(AnyStore, IsWrittenToWhileOthersEraseBesideIt) {
  const auto bytes = random_bytes(10, 1);
  const int rounds = store_->medium().is_remote ? 150 : 1000;
  std::vector<std::jthread> threads;
  for (const char* name : {"x", "y", "z"})
    threads.emplace_back([&, key = std::string("a/b/c/d/") + name] {
      for (int round = 0; round < rounds; ++round) {
        write_object(*store_, key, bytes);
        store_->erase(key);
      }
    });
  threads.clear();
  EXPECT_TRUE(listed(*store_, "").empty());
}

TEST_P(AnyStore, GivesBackWhatWasWritten) {
  const auto bytes = random_bytes(5000, 1);
  write_object(*store_, "a/b c/ü", bytes);
  std::vector<std::byte> read(6000);
  ReadRequest request{.key = "a/b c/ü", .destination = {read}};
  store_->read_one(request);
  EXPECT_TRUE(request.found);
  EXPECT_EQ(request.bytes_read, 5000);
  EXPECT_EQ(request.object_bytes, 5000);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), read.begin()));
}

TEST_P(AnyStore, ScattersRangesIntoManyBuffers) {
  const auto bytes = random_bytes(9000, 2);
  write_object(*store_, "x", bytes);
  std::vector<std::byte> read(3 * 2500);
  ReadRequest request{.key = "x", .offset = 700};
  for (std::size_t part = 0; part < 2500; ++part)  // Every other place.
    request.destination.push_back(std::span(read).subspan(3 * part, 2));
  store_->read_one(request);
  ASSERT_EQ(request.bytes_read, 5000);
  for (std::size_t at = 0; at < 5000; ++at)
    ASSERT_EQ(read[at / 2 * 3 + at % 2], bytes[700 + at]);
}

TEST_P(AnyStore, ReadsFromTheEnd) {
  const auto bytes = random_bytes(100, 3);
  write_object(*store_, "x", bytes);
  std::vector<std::byte> read(20);
  ReadRequest request{.key = "x", .offset = -20, .destination = {read}};
  store_->read_one(request);
  EXPECT_EQ(request.bytes_read, 20);
  EXPECT_TRUE(std::equal(read.begin(), read.end(), bytes.end() - 20));
}

TEST_P(AnyStore, TakesAbsentKeysAsAbsent) {
  ReadRequest request{.key = "no/such"};
  store_->read_one(request);
  EXPECT_FALSE(request.found);
  const bool erased = store_->erase("no/such");
  // Object stores do not tell.
  EXPECT_TRUE(!erased || store_->medium().is_remote);
  EXPECT_EQ(read_text(*store_, "no/such"), std::nullopt);
  EXPECT_FALSE(has_object(*store_, "no/such"));
}

TEST_P(AnyStore, ShowsAnObjectOnlyWhenItIsCommitted) {
  {
    const auto aborted = store_->open_writer("a/lost");
    aborted->append(random_bytes(10, 4));
    EXPECT_TRUE(listed(*store_, "").empty());
  }
  EXPECT_TRUE(listed(*store_, "").empty());
  const auto header = random_bytes(7, 5), body = random_bytes(50, 6);
  const auto writer = store_->open_writer("a/kept", 7);
  writer->append(body);
  EXPECT_EQ(read_text(*store_, "a/kept"), std::nullopt);
  writer->commit(header);
  EXPECT_TRUE(has_object(*store_, "a/kept"));
  EXPECT_FALSE(has_object(*store_, "a")) << "a folder";
  const std::string text = *read_text(*store_, "a/kept");
  ASSERT_EQ(text.size(), 57u);
  EXPECT_EQ(static_cast<std::byte>(text[6]), header[6]);
  EXPECT_EQ(static_cast<std::byte>(text[7]), body[0]);
}

TEST_P(AnyStore, ListsBelowAPrefix) {
  for (const char* key : {"a", "b/c", "b/d/e", "bc"})
    write_text(*store_, key, key);
  EXPECT_EQ(listed(*store_, "").size(), 4u);
  const std::map<std::string, std::int64_t> below{{"b/c", 3}, {"b/d/e", 5}};
  EXPECT_EQ(listed(*store_, "b"), below);
  EXPECT_TRUE(store_->erase("b/c"));
  EXPECT_TRUE(store_->erase("b/d/e"));
  EXPECT_TRUE(listed(*store_, "b").empty());
}

TEST_P(AnyStore, CreatesOnceAmongManyThreads) {
  std::atomic<int> created{0};
  {
    std::vector<std::jthread> threads;
    for (unsigned thread = 0; thread < 8; ++thread)
      threads.emplace_back([&, thread] {
        created += store_->create_if_absent("lock", random_bytes(9, thread));
        write_object(*store_, "all/" + std::to_string(thread),
                     random_bytes(1000, thread));
        write_object(*store_, "same", random_bytes(1000, 7));
      });
  }
  EXPECT_EQ(created, 1);
  EXPECT_EQ(listed(*store_, "all").size(), 8u);
  EXPECT_EQ(read_text(*store_, "same")->size(), 1000u);
}

INSTANTIATE_TEST_SUITE_P(Stores, AnyStore, testing::ValuesIn(kinds()),
                         [](const auto& kind) {
                           std::string name = kind.param.name;
                           std::erase_if(name, [](unsigned char c) {
                             return std::isalnum(c) == 0;
                           });
                           return name;
                         });

TEST(FileStore, RefusesKeysThatLeaveItsFolder) {
  const auto store = open_store(TestFolder() / "none");
  for (const std::string key : {"../x", "a/../../x", "/etc/x", "a//b", "", ".",
                                "a/..", "a/./b", "/", "a/"}) {
    EXPECT_THROW(write_text(*store, key, "x"), Error) << key;
    EXPECT_THROW(read_text(*store, key), Error) << key;
    EXPECT_THROW(store->erase(key), Error) << key;
    EXPECT_THROW(store->create_if_absent(key, {}), Error) << key;
  }
  EXPECT_THROW(read_text(*store, std::string("a\0b", 3)), Error);
}

// A store, and a folder beside it with a file that is not the store's.
class FileStoreLinks : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "root/a");
    outside_ = open_store(folder_ / "outside");
    write_text(*outside_, "b/x", "precious");
    store_ = open_store(folder_ / "root");
  }

  void link(const fs::path& to, const fs::path& name) {
    fs::create_symlink(to, folder_.path() / "root" / name);
  }

  const TestFolder folder_;
  std::shared_ptr<Store> outside_, store_;
};

TEST_F(FileStoreLinks, AreReadThrough) {
  link("../../outside", "a/out");
  EXPECT_EQ(read_text(*store_, "a/out/b/x"), "precious");
  EXPECT_EQ(listed(*store_, "").count("a/out/b/x"), 1u);
  EXPECT_EQ(listed(*store_, "a/out").at("a/out/b/x"), 8);
}

TEST_F(FileStoreLinks, AreNotWrittenThrough) {
  link("../outside", "out");
  EXPECT_THROW(write_text(*store_, "out/y", "x"), Error);
  EXPECT_THROW(write_text(*store_, "out/b/x", "x"), Error);
  EXPECT_THROW(store_->create_if_absent("out/new/y", {}), Error);
  EXPECT_EQ(listed(*outside_, ""),
            (std::map<std::string, std::int64_t>{{"b/x", 8}}));
  link("../outside/b/x", "file");
  write_text(*store_, "file", "mine");  // The link is replaced.
  EXPECT_EQ(read_text(*outside_, "b/x"), "precious");
  EXPECT_EQ(read_text(*store_, "file"), "mine");
}

TEST_F(FileStoreLinks, AreErasedThemselves) {
  link("../outside", "out");
  EXPECT_TRUE(store_->erase("out/b/x"));
  EXPECT_FALSE(store_->erase("out/b/x"));
  EXPECT_FALSE(fs::is_symlink(folder_ / "root/out"));
  EXPECT_EQ(read_text(*outside_, "b/x"), "precious");
}

TEST_F(FileStoreLinks, ThatLoopAreNotEntered) {
  link(".", "self");
  link("../..", "a/above");
  link("dangling", "dangling");
  link("nowhere", "nowhere");
  const std::map<std::string, std::int64_t> found = {
      {"self", 0}, {"a/above", 0}, {"dangling", 0}, {"nowhere", 0}};
  EXPECT_EQ(listed(*store_, ""), found);
  for (const auto& [key, bytes] : found) EXPECT_TRUE(store_->erase(key)) << key;
}

TEST_F(FileStoreLinks, OnlyRegularFilesAreRead) {
  ASSERT_EQ(mkfifo((folder_ / "root/pipe").c_str(), 0666), 0);
  link("/dev/zero", "device");
  for (const char* key : {"pipe", "device"}) {
    EXPECT_THROW(read_text(*store_, key), Error) << key;
    EXPECT_EQ(listed(*store_, "").at(key), 0);
  }
  EXPECT_EQ(read_text(*store_, "a"), std::nullopt);
}

TEST(OpenStore, NamesTheSchemeItDoesNotKnowAndThoseItDoes) {
  EXPECT_FALSE(has_store("none-such://bucket/a.zarr"));
  try {
    open_store("none-such://bucket/a.zarr");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("none-such://"),
              std::string::npos);
    for (const StoreRow& row : kStores)
      EXPECT_NE(error.hint().find(row.name), std::string::npos) << row.name;
  }
}

}  // namespace
}  // namespace rechunk

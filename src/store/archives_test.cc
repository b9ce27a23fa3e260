// Stores that are only read: what each must do, and what zip archives
// refuse.
#include "store/archives.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

#include "base/folder_testing.h"
#include "rechunk/error.h"
#include "store/counting_store.h"
#include "store/zip_store.h"
#include "store/zip_writer.h"

namespace rechunk {
namespace {

using Objects = std::map<std::string, std::string>;

std::string random_text(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(count, '\0');
  for (char& value : text) value = static_cast<char>(random());
  return text;
}

std::shared_ptr<Store> memory_with(const Objects& objects) {
  auto store = make_memory_store();
  for (const auto& [key, text] : objects) write_text(*store, key, text);
  return store;
}

std::shared_ptr<Store> packed(const Objects& objects) {
  auto outer = make_memory_store();
  std::vector<std::byte> buffer(5000);  // Less than some of them have.
  pack_zip(*memory_with(objects), *outer, "x.zip", buffer);
  return outer;
}

std::shared_ptr<Store> zip_with(const Objects& objects) {
  return make_zip_store(packed(objects), "x.zip", "x.zip");
}

std::string base64(const std::string& bytes) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = i; j < i + 3; ++j)
      bits = bits << 8 |
             (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0u);
    for (int digit = 3; digit >= 0; --digit)
      text += kDigits[bits >> (6 * digit) & 63];
  }
  const std::size_t padding = (3 - bytes.size() % 3) % 3;
  return text.replace(text.size() - padding, padding, padding, '=');
}

// Each third object stands in the references, is a file or a part of one.
std::shared_ptr<Store> references_with(const Objects& objects) {
  static const TestFolder own;
  const std::string folder = own.path();
  const auto files = open_store(folder);
  std::string refs, all = "before";
  int number = 0;
  for (const auto& [key, text] : objects) {
    refs += (refs.empty() ? "\"" : ",\"") + key + "\":";
    switch (number++ % 3) {
      case 0:
        refs += "\"base64:" + base64(text) + "\"";
        break;
      case 1:
        write_text(*files, "whole/" + std::to_string(number), text);
        refs += "[\"{{w}}/" + std::to_string(number) + "\"]";
        break;
      default:
        refs += "[\"all\"," + std::to_string(all.size()) + "," +
                std::to_string(text.size()) + "]";
        all += text;
    }
  }
  write_text(*files, "all", all + "behind");
  write_text(*files, "x.json",
             "{\"version\":1,\"templates\":{\"w\":\"whole\"},\"refs\":{" +
                 refs + "}}");
  return open_store(folder + "/x.json");
}

struct Reader {
  std::string name;
  std::function<std::shared_ptr<Store>(const Objects&)> with;
};

class AnyReader : public testing::TestWithParam<Reader> {
 protected:
  std::shared_ptr<Store> with(const Objects& objects) {
    return GetParam().with(objects);
  }
};

std::map<std::string, std::int64_t> found_in(const Store& store,
                                             const std::string& prefix) {
  std::map<std::string, std::int64_t> found;
  store.list(prefix, [&](std::string_view key, std::int64_t bytes) {
    found.emplace(key, bytes);
  });
  return found;
}

TEST_P(AnyReader, GivesAnyPartInAnyPieces) {
  Objects objects{{"empty", ""}, {"a/b c/\u00fc", random_text(5000, 1)}};
  for (int i = 0; i < 7; ++i)
    objects["c/" + std::to_string(i)] = random_text(100 + i, i);
  const auto store = with(objects);
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const auto object = std::next(objects.begin(), random() % objects.size());
    const std::string& text = object->second;
    const auto size = static_cast<std::int64_t>(text.size());
    ReadRequest request{
        .key = object->first,
        .offset =
            static_cast<std::int64_t>(random() % (2 * size + 10)) - size - 5};
    std::vector<std::byte> read(random() % 6000);
    for (std::size_t at = 0; at < read.size();) {
      const std::size_t count =
          std::min<std::size_t>(read.size() - at, 1 + random() % 500);
      request.destination.push_back(std::span(read).subspan(at, count));
      at += count;
    }
    store->read_one(request);
    const std::int64_t begin =
        request.offset >= 0 ? std::min(request.offset, size)
                            : std::max<std::int64_t>(0, size + request.offset);
    const auto wanted =
        std::min(static_cast<std::int64_t>(read.size()), size - begin);
    ASSERT_TRUE(request.found);
    ASSERT_EQ(request.object_bytes, size);
    ASSERT_EQ(request.bytes_read, wanted);
    ASSERT_EQ(std::string(reinterpret_cast<char*>(read.data()),
                          static_cast<std::size_t>(wanted)),
              text.substr(static_cast<std::size_t>(begin),
                          static_cast<std::size_t>(wanted)));
  }
}

TEST_P(AnyReader, ListsBelowAPrefixUntilTheVisitorHasSeenEnough) {
  const auto store = with(
      {{"a", "1"}, {"b", "22"}, {"b/c", "333"}, {"b/d/e", "x"}, {"b!", "y"}});
  EXPECT_EQ(found_in(*store, "").size(), 5u);
  const std::map<std::string, std::int64_t> below{
      {"b", 2}, {"b/c", 3}, {"b/d/e", 1}};
  EXPECT_EQ(found_in(*store, "b"), below);
  EXPECT_TRUE(found_in(*store, "c").empty());
  int visits = 0;
  store->scan("", [&](auto, auto) { return ++visits < 3; });
  EXPECT_EQ(visits, 3);
}

// A window of three requests over all objects, and absent ones between them.
TEST_P(AnyReader, IsAskedOnByWhoGotAnAnswer) {
  Objects objects;
  for (int i = 0; i < 60; ++i)
    if (i % 4 != 1) objects["k/" + std::to_string(i)] = random_text(30 + i, i);
  const auto store = with(objects);
  std::vector<std::vector<std::byte>> buffers(3);
  std::vector<ReadRequest> window(3);
  int next = 0, absent = 0;
  const auto ask = [&](ReadRequest& request, std::vector<std::byte>& buffer) {
    if (next == 60) return false;
    buffer.assign(100, {});
    request = {.key = "k/" + std::to_string(next++), .destination = {buffer}};
    return true;
  };
  for (std::size_t i = 0; i < 3; ++i) ask(window[i], buffers[i]);
  Objects got;
  store->read_many(window, [&](ReadRequest& request) {
    const auto at = static_cast<std::size_t>(&request - window.data());
    if (request.found)
      got[request.key] =
          std::string(reinterpret_cast<char*>(buffers[at].data()),
                      static_cast<std::size_t>(request.bytes_read));
    else
      ++absent;
    return ask(request, buffers[at]);
  });
  EXPECT_EQ(got, objects);
  EXPECT_EQ(absent, 15);
  EXPECT_THROW(store->read_many(window,
                                [](auto&) -> bool {
                                  throw Error(ErrorKind::kCancelled, "stop");
                                }),
               Error);
}

TEST_P(AnyReader, HasRootsBelow) {
  const auto store = with({{"g/a/x", "1"}, {"g/b", "2"}, {"h", "3"}});
  const auto below = store->below("g");
  if (!below) GTEST_SKIP() << "memory has one root";
  EXPECT_EQ(read_text(*below, "a/x"), "1");
  EXPECT_EQ(found_in(*below, "").size(), 2u);
  EXPECT_EQ(found_in(*below, "a").count("a/x"), 1u);
  EXPECT_NE(below->describe("b").find("/g/b"), std::string::npos);
  EXPECT_TRUE(*below->exists());
  EXPECT_FALSE(*store->below("g/b")->exists());
  EXPECT_FALSE(*store->below("none")->exists());
}

INSTANTIATE_TEST_SUITE_P(Readers, AnyReader,
                         testing::Values(Reader{"memory", memory_with},
                                         Reader{"zip", zip_with},
                                         Reader{"references", references_with}),
                         [](const auto& reader) { return reader.param.name; });

TEST(Archives, RefuseToBeWritten) {
  for (const auto& store :
       {zip_with({{"a", "1"}}), references_with({{"a", "1"}})}) {
    EXPECT_THROW(write_text(*store, "b", "x"), Error);
    EXPECT_THROW(store->create_if_absent("b", {}), Error);
    EXPECT_THROW(store->erase("a"), Error);
  }
}

TEST(ZipStore, TakesOneRequestForAWholeObject) {
  Objects objects;
  for (int i = 0; i < 5; ++i) objects[std::to_string(i)] = random_text(200, i);
  const auto counting = std::make_shared<CountingStore>(packed(objects));
  const auto store = make_zip_store(counting, "x.zip", "x.zip");
  const std::int64_t after_opening = counting->requests;
  EXPECT_EQ(after_opening, 1);
  for (const auto& [key, text] : objects)
    EXPECT_EQ(read_text(*store, key), text);
  EXPECT_EQ(counting->requests - after_opening, 5);
  std::byte part[10];
  const auto ask = [&](const Store& from) {
    ReadRequest request{.key = "3", .offset = 50, .destination = {part}};
    const std::int64_t before = counting->requests;
    from.read_one(request);
    return counting->requests - before;
  };
  EXPECT_EQ(ask(*store), 1);
  const auto fresh = make_zip_store(counting, "x.zip", "x.zip");
  EXPECT_EQ(ask(*fresh), 2);  // Where it begins, and the range.
  EXPECT_EQ(ask(*fresh), 1);
}

TEST(ZipStore, HasOpenedWhatWasThereThen) {
  const auto outer = packed({{"a", "old"}});
  const auto store = make_zip_store(outer, "x.zip", "x.zip");
  write_text(*outer, "x.zip", *read_text(*outer, "x.zip") + "more");
  EXPECT_EQ(read_text(*store, "a"), "old");  // Memory knows no versions.
  write_text(*outer, "x.zip", "short");
  EXPECT_THROW(read_text(*store, "a"), Error);
}

// Each damage ends with an error or with the right bytes.
TEST(ZipStore, NeverGivesWrongBytesOfADamagedDirectory) {
  Objects objects;
  for (int i = 0; i < 6; ++i)
    objects["c/" + std::to_string(i)] = random_text(40 + i, i);
  const std::string whole = *read_text(*packed(objects), "x.zip");
  std::mt19937 random(5);
  int refused = 0, right = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = whole;
    if (round % 4 == 0) {
      bytes.resize(random() % whole.size());
    } else {
      for (unsigned flips = 1 + random() % 2; flips > 0; --flips)
        bytes[random() % whole.size()] ^= static_cast<char>(1 << random() % 8);
    }
    const auto outer = memory_with({{"x.zip", bytes}});
    try {
      const auto store = make_zip_store(outer, "x.zip", "x.zip");
      const auto listed = found_in(*store, "");
      for (const auto& [key, text] : objects) {
        const auto got = read_text(*store, key);
        // A key that is gone has left a name that is not known.
        if (!got) {
          ASSERT_NE(listed.size(), 0u);
          ASSERT_TRUE(std::any_of(
              listed.begin(), listed.end(),
              [&](const auto& one) { return !objects.contains(one.first); }));
        } else {
          ASSERT_EQ(*got, text);
        }
      }
      ++right;
    } catch (const Error& error) {
      ++refused;
      ASSERT_NE(error.kind(), ErrorKind::kInternal) << error.what();
    }
  }
  EXPECT_GT(refused, 2000);
  EXPECT_GT(right, 100);  // Times and attributes say nothing.
}

// With objects that the buffer holds, and one that it does not.
TEST(PackedArchive, IsComparedWithWhatWasPacked) {
  const Objects objects{{"large", random_text(9000, 1)},
                        {"small", random_text(300, 2)},
                        {"zarr.json", "{}"}};
  const auto from = memory_with(objects);
  const std::string whole = *read_text(*packed(objects), "x.zip");
  std::vector<std::byte> buffer(5000);
  const auto verify = [&](const std::string& bytes) {
    const auto outer = memory_with({{"x.zip", bytes}});
    verify_zip(*from, *make_zip_store(outer, "x.zip", "x.zip"), buffer);
  };
  EXPECT_NO_THROW(verify(whole));
  for (const auto& [key, text] : objects) {
    std::string changed = whole;
    changed[whole.find(text) + text.size() / 2] ^= 1;
    EXPECT_THROW(verify(changed), Error) << key;
  }
  EXPECT_THROW(verify(*read_text(*packed({{"zarr.json", "{}"}}), "x.zip")),
               Error);
}

}  // namespace
}  // namespace rechunk

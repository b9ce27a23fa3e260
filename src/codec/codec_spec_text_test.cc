#include "codec/codec_spec_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "rechunk/error.h"

namespace rechunk {
namespace {

using Json = nlohmann::json;

/// What the text means, as v3 metadata would say it.
Json meaning(const std::string& text) {
  Json codecs = Json::array();
  for (const CodecSpec& spec : parse_codec_specs(text))
    codecs.push_back({{"name", spec.name},
                      {"configuration", Json::parse(spec.configuration)}});
  return codecs;
}

Json codec(const std::string& name, const Json& configuration) {
  return {{"name", name}, {"configuration", configuration}};
}

Json blosc(const std::string& cname, int level, const std::string& shuffle) {
  return codec("blosc", {{"cname", cname},
                         {"clevel", level},
                         {"shuffle", shuffle},
                         {"blocksize", 0}});
}

Json list(const std::vector<Json>& codecs) { return codecs; }

TEST(CodecSpecText, ShortNamesHaveDefaults) {
  EXPECT_EQ(meaning("zstd"),
            list({codec("zstd", {{"level", 0}, {"checksum", false}})}));
  EXPECT_EQ(meaning("blosc"), list({blosc("lz4", 5, "shuffle")}));
  EXPECT_EQ(meaning("blosc:zstd"), list({blosc("zstd", 5, "shuffle")}));
  EXPECT_EQ(meaning("lz4"),
            list({codec("numcodecs.lz4", {{"acceleration", 1}})}));
  EXPECT_EQ(meaning("crc32c"), list({codec("crc32c", Json::object())}));
}

TEST(CodecSpecText, ShortNamesTakeLevelsAndMore) {
  EXPECT_EQ(meaning("zstd:-7"),
            list({codec("zstd", {{"level", -7}, {"checksum", false}})}));
  EXPECT_EQ(meaning("gzip:6"), list({codec("gzip", {{"level", 6}})}));
  EXPECT_EQ(meaning("zlib:1"), list({codec("numcodecs.zlib", {{"level", 1}})}));
  EXPECT_EQ(meaning("blosc:zstd:3:bitshuffle"),
            list({blosc("zstd", 3, "bitshuffle")}));
}

TEST(CodecSpecText, SeveralCodecsKeepTheirOrder) {
  EXPECT_EQ(
      meaning("blosc:lz4:5 + crc32c"),
      list({blosc("lz4", 5, "shuffle"), codec("crc32c", Json::object())}));
  EXPECT_EQ(
      meaning(R"(["gzip:2", {"name": "crc32c"}, {"id": "zlib", "level": 4}])"),
      list({codec("gzip", {{"level", 2}}), codec("crc32c", Json::object()),
            codec("numcodecs.zlib", {{"level", 4}})}));
}

TEST(CodecSpecText, NoneIsAnEmptyChain) {
  for (const char* text : {"none", "null", "[]", " none "})
    EXPECT_TRUE(parse_codec_specs(text).empty()) << text;
}

TEST(CodecSpecText, V3JsonIsTakenAsItIs) {
  const Json odd = codec("x.new", {{"a", {1, 2.5, nullptr}}, {"b", "ä"}});
  EXPECT_EQ(meaning(odd.dump()), list({odd}));
  EXPECT_EQ(meaning(list({odd, odd}).dump(2)), list({odd, odd}));
  EXPECT_EQ(meaning(R"({"name": "zstd"})"),
            list({codec("zstd", Json::object())}));
}

TEST(CodecSpecText, NumcodecsJsonBecomesV3) {
  EXPECT_EQ(meaning(R"({"id": "blosc", "cname": "zstd", "clevel": 9,
                        "shuffle": 2, "blocksize": 0})"),
            list({blosc("zstd", 9, "bitshuffle")}));
  EXPECT_EQ(meaning(R"({"id": "blosc", "shuffle": 0})"),
            list({blosc("lz4", 5, "noshuffle")}));
  EXPECT_EQ(meaning(R"({"id": "zstd", "level": 11})"),
            list({codec("zstd", {{"level", 11}, {"checksum", false}})}));
  EXPECT_EQ(meaning(R"({"id": "crc32c", "location": "end"})"),
            list({codec("crc32c", Json::object())}));
  EXPECT_EQ(meaning(R"({"id": "crc32c", "location": "start"})"),
            list({codec("numcodecs.crc32c", {{"location", "start"}})}));
  EXPECT_EQ(meaning(R"({"id": "lzma", "format": 1})"),
            list({codec("numcodecs.lzma", {{"format", 1}})}));
}

TEST(CodecSpecText, RandomBloscSettingsReadTheSameInEveryForm) {
  const std::vector<std::string> cnames = {"lz4",    "lz4hc", "blosclz",
                                           "snappy", "zlib",  "zstd"};
  const std::vector<std::string> shuffles = {"noshuffle", "shuffle",
                                             "bitshuffle"};
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    const std::string cname = cnames[random() % cnames.size()];
    const int level = static_cast<int>(random() % 10);
    const auto shuffle = random() % 3;
    const Json expected = list({blosc(cname, level, shuffles[shuffle])});
    const Json numcodecs = {{"id", "blosc"},
                            {"cname", cname},
                            {"clevel", level},
                            {"shuffle", shuffle},
                            {"blocksize", 0}};
    EXPECT_EQ(meaning("blosc:" + cname + ":" + std::to_string(level) + ":" +
                      shuffles[shuffle]),
              expected);
    EXPECT_EQ(meaning(numcodecs.dump()), expected);
    EXPECT_EQ(meaning(expected[0].dump()), expected);
  }
}

TEST(CodecSpecText, NonsenseIsRefusedAndQuotedWithAHint) {
  for (const std::string text : {"",
                                 "+",
                                 "zstd+",
                                 "+zstd",
                                 "zst",
                                 "zstd:",
                                 "zstd:x",
                                 "zstd:23",
                                 "zstd:3:4",
                                 "gzip:10",
                                 "gzip:-1",
                                 "lz4:0",
                                 "crc32c:1",
                                 "blosc:",
                                 "blosc:foo",
                                 "blosc:lz4:10",
                                 "blosc:lz4:5:maybe",
                                 "blosc:lz4:5:shuffle:0",
                                 "none+zstd",
                                 "Zstd",
                                 "zstd,3",
                                 "{",
                                 "[",
                                 "{}",
                                 "[1]",
                                 "[null]",
                                 "[[]]",
                                 "{\"id\": 3}",
                                 "{\"name\": []}",
                                 "{\"name\": \"zstd\", \"configuration\": 3}",
                                 "[\"zst\"]",
                                 "{\"name\": \"bytes\"}",
                                 "{\"name\": \"sharding_indexed\"}",
                                 "{\"id\": \"blosc\", \"shuffle\": -1}",
                                 "{\"id\": \"blosc\", \"shuffle\": null}",
                                 "{\"id\": \"zstd\"} x",
                                 "zstd:99999999999999999999",
                                 "{\"id\": \"zs\xff\"}"}) {
    try {
      ADD_FAILURE() << text << " was read as " << meaning(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument) << text;
      EXPECT_NE(std::string(error.what()).find("'" + text + "'"),
                std::string::npos)
          << error.what();
      EXPECT_FALSE(error.hint().empty());
    }
  }
}

TEST(CodecSpecText, DeepJsonIsRefused) {
  const std::string deep(100'000, '[');
  EXPECT_THROW(parse_codec_specs(deep), Error);
  EXPECT_THROW(parse_codec_specs("{\"name\":\"x\",\"configuration\":{\"a\":" +
                                 deep + std::string(100'000, ']') + "}}"),
               Error);
}

TEST(CodecSpecText, RandomTextIsReadOrRefusedNeverAnythingElse) {
  const std::vector<std::string> words = {
      "zstd", "blosc",  "lz4",      ":",        "+",
      "3",    "{",      "}",        "[",        "]",
      ",",    "\"id\"", "\"name\"", "\"zstd\"", "\"configuration\"",
      "null", " ",      "x"};
  std::mt19937 random(8);
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (auto n = random() % 9; n-- > 0;)
      text += words[random() % words.size()];
    try {
      meaning(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument) << text;
    }
  }
}

}  // namespace
}  // namespace rechunk

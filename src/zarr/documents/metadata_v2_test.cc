#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rechunk/error.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/metadata.h"

namespace rechunk {
namespace {

/// A valid .zarray with members replaced; a null `text` removes one.
std::string zarray(
    const std::vector<std::pair<std::string, const char*>>& changes = {}) {
  std::vector<std::pair<std::string, std::string>> members = {
      {"zarr_format", "2"},      {"shape", "[7, 5]"},    {"chunks", "[3, 4]"},
      {"dtype", "\"<f4\""},      {"compressor", "null"}, {"filters", "null"},
      {"fill_value", "\"NaN\""}, {"order", "\"C\""}};
  for (const auto& [key, text] : changes) {
    std::erase_if(members, [&](auto& member) { return member.first == key; });
    if (text) members.emplace_back(key, text);
  }
  std::string json;
  for (const auto& [key, text] : members)
    json += (json.empty() ? "{\"" : ",\"") + key + "\":" + text;
  return json + "}";
}

std::string codec_names(const ArrayMetadata& metadata) {
  std::string names;
  for (const CodecSpec& codec : metadata.codecs)
    names += (names.empty() ? "" : " ") + codec.name;
  return names;
}

void expect_error(const std::string& text, ErrorKind kind,
                  const std::string& part) {
  try {
    parse_array_v2(text, {});
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
        << error.what();
  }
}

TEST(MetadataV2, DefaultsAreThoseOfTheSpecification) {
  const ArrayMetadata metadata = parse_array_v2(zarray(), {});
  EXPECT_EQ(metadata.shape, (Shape{7, 5}));
  EXPECT_EQ(metadata.chunks, (Shape{3, 4}));
  EXPECT_TRUE(metadata.key_encoding.v2);
  EXPECT_EQ(metadata.key_encoding.separator, '.');
  EXPECT_EQ(codec_names(metadata), "bytes");
  EXPECT_FALSE(metadata.attributes);
}

TEST(MetadataV2, CodecsGetTheirV3Form) {
  const ArrayMetadata metadata = parse_array_v2(
      zarray({{"dtype", "\">i2\""},
              {"fill_value", "0"},
              {"order", "\"F\""},
              {"filters", R"([{"id":"delta","dtype":">i2","astype":"<i8"}])"},
              {"compressor", R"({"id":"blosc","cname":"zstd","clevel":3,)"
                             R"("shuffle":2,"blocksize":0})"}}),
      {});
  ASSERT_EQ(codec_names(metadata), "transpose numcodecs.delta bytes blosc");
  EXPECT_EQ(nlohmann::json::parse(metadata.codecs[0].configuration),
            nlohmann::json::parse(R"({"order":[1,0]})"));
  EXPECT_EQ(nlohmann::json::parse(metadata.codecs[1].configuration),
            nlohmann::json::parse(R"({"dtype":">i2","astype":"<i8"})"));
  EXPECT_EQ(nlohmann::json::parse(metadata.codecs[2].configuration),
            nlohmann::json::parse(R"({"endian":"big"})"));
  EXPECT_EQ(nlohmann::json::parse(metadata.codecs[3].configuration),
            nlohmann::json::parse(R"({"typesize":8,"cname":"zstd","clevel":3,
                                      "shuffle":"bitshuffle","blocksize":0})"));
}

TEST(MetadataV2, CompressorsAmongTheFiltersFollowTheBytes) {
  const ArrayMetadata metadata =
      parse_array_v2(zarray({{"filters", R"([{"id":"shuffle","elementsize":4},)"
                                         R"({"id":"zlib","level":4}])"}}),
                     {});
  EXPECT_EQ(codec_names(metadata), "bytes numcodecs.shuffle numcodecs.zlib");
}

TEST(MetadataV2, AutomaticShuffleDependsOnTheElement) {
  const char* compressor = R"({"id":"blosc","shuffle":-1})";
  const auto shuffle = [&](const char* dtype) {
    const auto metadata = parse_array_v2(zarray({{"dtype", dtype},
                                                 {"fill_value", "0"},
                                                 {"compressor", compressor}}),
                                         {});
    return nlohmann::json::parse(
               metadata.codecs.back().configuration)["shuffle"]
        .get<std::string>();
  };
  EXPECT_EQ(shuffle("\"|u1\""), "bitshuffle");
  EXPECT_EQ(shuffle("\"<u2\""), "shuffle");
}

TEST(MetadataV2, StringsKeepTheirObjectCodec) {
  const ArrayMetadata metadata =
      parse_array_v2(zarray({{"dtype", "\"|O\""},
                             {"fill_value", "0"},
                             {"filters", R"([{"id":"vlen-utf8"}])"},
                             {"compressor", R"({"id":"zstd","level":1})"}}),
                     {});
  EXPECT_EQ(codec_names(metadata), "vlen-utf8 zstd");
  EXPECT_EQ(metadata.data_type.item_bytes, 0);
  EXPECT_EQ(metadata.data_type.label(), "string");
}

TEST(MetadataV2, QuirksOfOldWritersAreRead) {
  EXPECT_EQ(parse_array_v2(zarray({{"filters", "[]"}}), {}).v2_filters, "null");
  EXPECT_EQ(
      parse_array_v2(zarray({{"shape", "[0, 5]"}, {"chunks", "[0, true]"}}), {})
          .chunks,
      (Shape{1, 1}));
  EXPECT_EQ(parse_array_v2(zarray({{"compressor", nullptr},
                                   {"filters", nullptr},
                                   {"order", nullptr}}),
                           {})
                .v2_compressor,
            "null");
  EXPECT_EQ(parse_array_v2(zarray({{"shape", "[]"}, {"chunks", "[]"}}), {})
                .shape.size(),
            0u);
}

TEST(MetadataV2, WhatIsNotUnderstoodIsWrittenBackVerbatim) {
  const std::string attributes =
      "{ \"scale\": 1.0, \"bad\": NaN,\n\"big\":18446744073709551617}\n";
  const ArrayMetadata metadata = parse_array_v2(
      zarray({{"fill_value", "-0.00"},
              {"dimension_separator", "\"/\""},
              {"_NCZARR_ARRAY", R"({"dimrefs":["/x"],"storage":1.50})"},
              {"compressor", R"({"id":"mystery","level":1e0})"}}),
      attributes);
  const auto documents = format_array(metadata);
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0], std::pair(std::string(".zattrs"), attributes));
  EXPECT_EQ(documents[1].first, ".zarray");
  const std::string& text = documents[1].second;
  for (const char* part : {"-0.00", "1.50", "1e0", "\"mystery\""})
    EXPECT_NE(text.find(part), std::string::npos) << part;
  const ArrayMetadata again = parse_array_v2(text, attributes);
  EXPECT_EQ(format_array(again), documents);
  EXPECT_TRUE(same_encoding(metadata, again));
}

TEST(MetadataV2, DimensionNamesComeFromTheAttributeOfXarray) {
  const auto names = [](const char* attributes) {
    return parse_array_v2(zarray(), attributes).dimension_names;
  };
  using Names = std::vector<std::optional<std::string>>;
  EXPECT_EQ(names(R"({"_ARRAY_DIMENSIONS":["time","l\u00e4t"]})"),
            (Names{"time", "l\u00e4t"}));
  EXPECT_EQ(names(R"({"_ARRAY_DIMENSIONS":["x",null]})"),
            (Names{"x", std::nullopt}));
  EXPECT_EQ(names(R"({"_ARRAY_DIMENSIONS":["x"]})"), std::nullopt);
  EXPECT_EQ(names(R"({"_ARRAY_DIMENSIONS":"x y"})"), std::nullopt);
  EXPECT_EQ(names("{}"), std::nullopt);
}

TEST(MetadataV2, BrokenDocumentsAreRefusedAndTheMemberIsNamed) {
  const auto corrupt = [](const char* key, const char* text) {
    expect_error(zarray({{key, text}}), ErrorKind::kCorrupt, key);
  };
  corrupt("shape", nullptr);
  corrupt("shape", "[-1, 5]");
  corrupt("shape", "[4611686018427387905, 5]");
  corrupt("shape", "[1.5, 5]");
  corrupt("shape", "7");
  corrupt("chunks", "[3]");
  corrupt("chunks", "[3, \"4\"]");
  corrupt("chunks", "[3, 99999999999999999999]");
  corrupt("dtype", nullptr);
  corrupt("dtype", "4");
  corrupt("dtype", "[[\"a\"]]");
  corrupt("order", "\"K\"");
  corrupt("dimension_separator", "\"-\"");
  corrupt("zarr_format", "3");
  corrupt("filters", "{}");
  std::string many = "[1";
  for (int i = 0; i < 64; ++i) many += ",1";
  corrupt("shape", (many + "]").c_str());
  expect_error(zarray({{"compressor", "7"}}), ErrorKind::kCorrupt, "codec");
  expect_error("[]", ErrorKind::kCorrupt, ".zarray");
  expect_error("{\"shape\":", ErrorKind::kCorrupt, "byte 9");
  EXPECT_THROW(parse_array_v2(zarray(), "[1]"), Error);
}

}  // namespace
}  // namespace rechunk

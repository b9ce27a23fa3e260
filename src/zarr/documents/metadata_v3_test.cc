#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rechunk/error.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/metadata.h"

namespace rechunk {
namespace {

/// A valid zarr.json with members replaced; a null `text` removes one.
std::string zarr_json(
    const std::vector<std::pair<std::string, const char*>>& changes = {}) {
  std::vector<std::pair<std::string, std::string>> members = {
      {"zarr_format", "3"},
      {"node_type", "\"array\""},
      {"shape", "[7, 5]"},
      {"data_type", "\"float32\""},
      {"chunk_grid",
       R"({"name":"regular","configuration":{"chunk_shape":[3,4]}})"},
      {"chunk_key_encoding", R"({"name":"default"})"},
      {"fill_value", "\"0x7fc00001\""},
      {"codecs", R"([{"name":"bytes","configuration":{"endian":"little"}}])"}};
  for (const auto& [key, text] : changes) {
    std::erase_if(members, [&](auto& member) { return member.first == key; });
    if (text) members.emplace_back(key, text);
  }
  std::string json;
  for (const auto& [key, text] : members)
    json += (json.empty() ? "{\"" : ",\"") + key + "\":" + text;
  return json + "}";
}

void expect_error(const std::string& text, ErrorKind kind,
                  const std::string& part) {
  try {
    parse_array_v3(text);
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
        << error.what();
  }
}

TEST(MetadataV3, DocumentsSurviveReadingAndWriting) {
  const ArrayMetadata metadata = parse_array_v3(zarr_json(
      {{"attributes", R"({ "a": NaN, "b":1.0,  "c":[18446744073709551617]})"},
       {"dimension_names", R"(["x", null])"},
       {"hint", R"({"must_understand":false,"value":1.50})"}}));
  EXPECT_EQ(metadata.attributes,
            R"({ "a": NaN, "b":1.0,  "c":[18446744073709551617]})");
  const auto documents = format_array(metadata);
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].first, "zarr.json");
  const ArrayMetadata again = parse_array_v3(documents[0].second);
  EXPECT_EQ(format_array(again), documents);
  EXPECT_EQ(again.attributes, metadata.attributes);
  EXPECT_EQ(again.dimension_names, metadata.dimension_names);
  EXPECT_EQ(again.extra, metadata.extra);
  EXPECT_EQ(again.fill_value.json, "\"0x7fc00001\"");
  EXPECT_TRUE(same_encoding(metadata, again));
}

TEST(MetadataV3, LenientSpellingsAreReadAndStrictOnesWritten) {
  const ArrayMetadata metadata =
      parse_array_v3(zarr_json({{"data_type", R"({"name":"uint8"})"},
                                {"fill_value", "0"},
                                {"chunk_key_encoding", "\"v2\""},
                                {"codecs", R"(["bytes", "crc32c"])"}}));
  EXPECT_TRUE(metadata.key_encoding.v2);
  EXPECT_EQ(metadata.key_encoding.separator, '.');
  const auto json = nlohmann::json::parse(format_array(metadata)[0].second);
  EXPECT_EQ(json["data_type"], "uint8");
  EXPECT_EQ(json["codecs"],
            nlohmann::json::parse(R"([{"name":"bytes"},{"name":"crc32c"}])"));
  EXPECT_EQ(json["chunk_key_encoding"]["name"], "v2");
  EXPECT_EQ(json["chunk_key_encoding"]["configuration"]["separator"], ".");
  EXPECT_FALSE(json.contains("dimension_names"));
  EXPECT_TRUE(json["attributes"].is_object());
}

TEST(MetadataV3, TheByteOrderIsThatOfTheInnermostBytesCodec) {
  const ArrayMetadata metadata = parse_array_v3(zarr_json(
      {{"codecs",
        R"([{"name":"sharding_indexed","configuration":{"chunk_shape":[1,2],)"
        R"("codecs":[{"name":"bytes","configuration":{"endian":"big"}}]}}])"}}));
  EXPECT_EQ(metadata.data_type.label(), ">f4");
  EXPECT_EQ(inner_chunks(metadata), (Shape{1, 2}));
}

TEST(MetadataV3, UnknownTypesAndCodecsAreKept) {
  const ArrayMetadata metadata = parse_array_v3(zarr_json(
      {{"data_type", R"({"name":"posit","configuration":{"bits":1e1}})"},
       {"fill_value", "{\"what\": [1.0]}"},
       {"codecs", R"([{"name":"enigma","configuration":{"rotors":3.0}}])"}}));
  EXPECT_EQ(metadata.data_type.item_bytes, 0);
  EXPECT_EQ(metadata.data_type.label(), "posit");
  const std::string text = format_array(metadata)[0].second;
  for (const char* part : {"1e1", "3.0", "\"what\": [1.0]"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(MetadataV3, ExtensionsThatMustBeUnderstoodAreUnsupported) {
  const auto unsupported = [](const char* key, const char* text,
                              const char* part) {
    expect_error(zarr_json({{key, text}}), ErrorKind::kUnsupported, part);
  };
  unsupported("novel", "{}", "novel");
  unsupported("novel", "1", "novel");
  unsupported("novel", R"({"must_understand":true})", "novel");
  unsupported("storage_transformers", R"([{"name":"manifest"}])", "manifest");
  unsupported("chunk_grid", R"({"name":"rectilinear","configuration":{}})",
              "rectilinear");
  unsupported("chunk_key_encoding", R"({"name":"fanout"})", "fanout");
  EXPECT_NO_THROW(parse_array_v3(zarr_json({{"storage_transformers", "[]"}})));
}

TEST(MetadataV3, BrokenDocumentsAreRefusedAndTheMemberIsNamed) {
  for (const char* key : {"shape", "data_type", "chunk_grid", "fill_value",
                          "chunk_key_encoding", "codecs", "zarr_format"}) {
    expect_error(zarr_json({{key, nullptr}}), ErrorKind::kCorrupt, key);
    if (std::string(key) != "fill_value") {
      expect_error(zarr_json({{key, "7"}}), ErrorKind::kCorrupt, key);
    }
  }
  const auto corrupt = [](const char* key, const char* text) {
    expect_error(zarr_json({{key, text}}), ErrorKind::kCorrupt, key);
  };
  corrupt("node_type", "\"group\"");
  corrupt("chunk_grid", "\"regular\"");
  corrupt("dimension_names", R"(["x"])");
  corrupt("dimension_names", R"(["x", 3])");
  corrupt("codecs", R"([{"configuration":{}}])");
  corrupt("codecs",
          R"([{"name":"bytes","configuration":{"endian":"middle"}}])");
  corrupt("codecs",
          R"([{"name":"sharding_indexed","configuration":{"codecs":[]}}])");
  corrupt("codecs", R"([{"name":"sharding_indexed","configuration":)"
                    R"({"codecs":[],"chunk_shape":[0,1]}}])");
  expect_error(zarr_json({{"attributes", "[]"}}), ErrorKind::kCorrupt,
               "attributes");
}

TEST(MetadataV3, DeepShardNestingDoesNotExhaustTheStack) {
  std::string codecs = R"([{"name":"bytes"}])";
  for (int i = 0; i < 5000; ++i)
    codecs = R"([{"name":"sharding_indexed","configuration":)"
             R"({"chunk_shape":[1,1],"codecs":)" +
             codecs + "}}]";
  EXPECT_THROW(parse_array_v3(zarr_json({{"codecs", codecs.c_str()}})), Error);
}

}  // namespace
}  // namespace rechunk

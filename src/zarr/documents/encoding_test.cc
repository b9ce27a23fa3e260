// Chunk keys, conversion, with_layout, same_encoding: arrays as a whole.
#include "zarr/documents/encoding.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rechunk/error.h"
#include "zarr/documents/convert.h"
#include "zarr/documents/example_documents.h"
#include "zarr/documents/layout.h"
#include "zarr/documents/metadata.h"
#include "zarr/documents/with_layout.h"

namespace rechunk {
namespace {

TEST(Encoding, ChunkKeysFollowTheEncoding) {
  EXPECT_EQ(chunk_key({false, '/'}, {0, 12, 3}), "c/0/12/3");
  EXPECT_EQ(chunk_key({false, '.'}, {0, 12}), "c.0.12");
  EXPECT_EQ(chunk_key({true, '.'}, {0, 12}), "0.12");
  EXPECT_EQ(chunk_key({true, '/'}, {4}), "4");
  EXPECT_EQ(chunk_key({false, '/'}, {}), "c");
  EXPECT_EQ(chunk_key({true, '.'}, {}), "0");
}

TEST(WithLayout, ShardsWrapTheSourcesCodecs) {
  const ArrayMetadata source =
      convert_format(v2_array("\"<f4\"", "\"NaN\"", "F", kBlosc), 3);
  const ArrayMetadata target =
      with_layout(source, {{2, 1}, Shape{4, 5}, std::nullopt});
  EXPECT_EQ(target.chunks, (Shape{4, 5}));
  EXPECT_EQ(inner_chunks(target), (Shape{2, 1}));
  EXPECT_EQ(describe_codecs(target), "blosc(lz4, 5, shuffle)");
  const auto json = document(target)["codecs"];
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["configuration"]["index_location"], "end");
  EXPECT_EQ(json[0]["configuration"]["codecs"], document(source)["codecs"]);
  const ArrayMetadata flat = with_layout(target, {{3, 4}, {}, std::nullopt});
  EXPECT_TRUE(same_encoding(flat, source));
}

TEST(WithLayout, TheShardIndexIsKeptAsTheSourceHasIt) {
  const std::string codecs =
      "[" +
      sharding("[3,3]", kLittle,
               R"(,"index_codecs":["bytes"],"index_location":"start")") +
      "]";
  const ArrayMetadata source = v3_array(codecs.c_str());
  const ArrayMetadata target =
      with_layout(source, {{2, 2}, Shape{4, 6}, std::nullopt});
  const ArrayLayout layout = make_layout(target);
  ASSERT_EQ(layout.shards.size(), 1u);
  EXPECT_TRUE(layout.shards[0].index_at_start);
  EXPECT_FALSE(layout.shards[0].index_has_crc32c);
  EXPECT_EQ(layout.shards[0].index_bytes, 16 * 6);
}

TEST(WithLayout, MiddleShardLevelsStayWhereTheyDivide) {
  const std::string codecs =
      "[" + sharding("[6,6]", sharding("[3,2]", kLittle)) + "]";
  const ArrayMetadata source = v3_array(codecs.c_str());
  const auto levels = [&](Shape chunks, Shape shards) {
    return make_layout(with_layout(source, {chunks, shards, std::nullopt}))
        .shards;
  };
  ASSERT_EQ(levels({2, 3}, {12, 12}).size(), 2u);
  EXPECT_EQ(levels({2, 3}, {12, 12})[0].chunk_shape, (Shape{6, 6}));
  EXPECT_EQ(levels({4, 3}, {12, 12}).size(), 1u);
  EXPECT_EQ(levels({2, 3}, {10, 12}).size(), 1u);
  EXPECT_EQ(levels({2, 3}, {6, 6}).size(), 1u);
}

TEST(WithLayout, GivenCodecsReplaceTheOldOnes) {
  const std::vector<CodecSpec> zstd = {{"zstd", R"({"level": 9})"}};
  const std::vector<CodecSpec> blosc = {{"blosc", R"({"cname": "zstd"})"}};
  const ArrayMetadata v2 = v2_array("\"<f4\"", "0.0", "F", kBlosc);
  const ArrayMetadata target = with_layout(v2, {{2, 2}, {}, zstd});
  EXPECT_EQ(nlohmann::json::parse(target.v2_compressor),
            nlohmann::json::parse(R"({"id":"zstd","level":9})"));
  EXPECT_TRUE(target.v2_order_f);
  EXPECT_EQ(
      describe_codecs(with_layout(v2, {{2, 2}, {}, std::vector<CodecSpec>{}})),
      "none");
  const ArrayMetadata v3 = convert_format(v2, 3);
  const auto json = document(with_layout(v3, {{2, 2}, {}, blosc}))["codecs"];
  EXPECT_EQ(json.back()["configuration"]["typesize"], 4);
  auto two = zstd;
  two.push_back({"crc32c", "{}"});
  EXPECT_EQ(describe_codecs(with_layout(v3, {{2, 2}, {}, two})),
            "zstd(9) + crc32c");
  error_of(
      [&] {
        with_layout(v2, {{2, 2}, {}, two});
      },
      ErrorKind::kUnsupported);
}

TEST(WithLayout, WrongRequestsAreRefused) {
  const ArrayMetadata v2 = v2_array("\"<f4\"", "0.0", "C", "null");
  const ArrayMetadata v3 = convert_format(v2, 3);
  const auto refused = [](const ArrayMetadata& source, Shape chunks,
                          std::optional<Shape> shards, ErrorKind kind) {
    error_of(
        [&] {
          with_layout(source, {chunks, shards, std::nullopt});
        },
        kind);
  };
  refused(v3, {2}, {}, ErrorKind::kInvalidArgument);
  refused(v3, {2, 0}, {}, ErrorKind::kInvalidArgument);
  refused(v3, {2, 2}, Shape{4, 3}, ErrorKind::kInvalidArgument);
  refused(v3, {2, 2}, Shape{4}, ErrorKind::kInvalidArgument);
  refused(v2, {2, 2}, Shape{4, 4}, ErrorKind::kUnsupported);
}

TEST(SameEncoding, EveryDifferenceThatChangesBytesCounts) {
  const ArrayMetadata base = v2_array("\"<f4\"", "1.5", "C", kBlosc);
  EXPECT_TRUE(same_encoding(base, v2_array("\"<f4\"", "1.50", "C", kBlosc)));
  EXPECT_FALSE(same_encoding(base, v2_array("\">f4\"", "1.5", "C", kBlosc)));
  EXPECT_FALSE(same_encoding(base, v2_array("\"<i4\"", "1", "C", kBlosc)));
  EXPECT_FALSE(same_encoding(base, v2_array("\"<f4\"", "2.5", "C", kBlosc)));
  EXPECT_FALSE(same_encoding(base, v2_array("\"<f4\"", "1.5", "F", kBlosc)));
  EXPECT_FALSE(same_encoding(base, v2_array("\"<f4\"", "1.5", "C", "null")));
  EXPECT_FALSE(
      same_encoding(base, with_layout(base, {{3, 5}, {}, std::nullopt})));
  ArrayMetadata longer = base;
  longer.shape = {8, 5};
  EXPECT_FALSE(same_encoding(base, longer));
  EXPECT_FALSE(same_encoding(v2_array("\"<f4\"", "0.0", "C", "null"),
                             v2_array("\"<f4\"", "-0.0", "C", "null")));
}

TEST(SameChunkEncoding, OfChunksInAnyShardsAndOutside) {
  const auto array = [](const std::string& codecs) {
    return v3_array(("[" + codecs + "]").c_str());
  };
  const std::string inner = fmt::format("{},{}", kLittle, kZstd);
  const ArrayMetadata whole = array(sharding("[3,3]", inner));
  const ArrayMetadata at_start =
      array(sharding("[3,3]", inner, R"(,"index_location":"start")"));
  EXPECT_FALSE(same_encoding(whole, at_start));
  EXPECT_TRUE(same_chunk_encoding(whole, at_start));
  const ArrayMetadata larger = with_layout(whole, {{3, 3}, {{9, 6}}, {}});
  const ArrayMetadata plain = with_layout(whole, {{3, 3}, {}, {}});
  EXPECT_TRUE(same_chunk_encoding(whole, larger));
  EXPECT_TRUE(same_chunk_encoding(larger, plain));
  EXPECT_TRUE(same_chunk_encoding(convert_format(plain, 2), whole));
  // Axes may be turned on either level, but must come out the same.
  const std::string turn =
      R"({"name":"transpose","configuration":{"order":[1,0]}},)";
  const ArrayMetadata turned = array(sharding("[3,3]", turn + inner));
  EXPECT_TRUE(
      same_chunk_encoding(turned, array(turn + sharding("[3,3]", inner))));
  EXPECT_FALSE(same_chunk_encoding(turned, whole));
  const LayoutRequest other_codec{
      {3, 3}, {}, std::vector<CodecSpec>{{"zstd", R"({"level":5})"}}};
  for (const ArrayMetadata& other :
       {array(sharding("[3,3]", kLittle)), with_layout(whole, other_codec),
        with_layout(whole, {{1, 3}, {{3, 3}}, {}}),
        array(sharding("[3,3]", inner) + "," + kZstd),
        array(sharding("[3,3]", sharding("[3,3]", inner)))}) {
    EXPECT_FALSE(same_chunk_encoding(whole, other));
    EXPECT_FALSE(same_chunk_encoding(other, whole));
  }
  ArrayMetadata filled = at_start;
  filled.fill_value = v3_array("[]", "\"float32\"", "-0.0").fill_value;
  EXPECT_FALSE(same_chunk_encoding(whole, filled));
}

TEST(Layout, TransposesAndShardsAreGivenInTheAxesOfTheArray) {
  const char* codecs =
      R"([{"name":"transpose","configuration":{"order":[2,0,1]}},)"
      R"({"name":"sharding_indexed","configuration":{"chunk_shape":[4,1,3],)"
      R"("codecs":[{"name":"transpose","configuration":{"order":[1,0,2]}},)"
      R"({"name":"bytes","configuration":{"endian":"big"}}]}}])";
  const ArrayMetadata metadata = parse_array_v3(fmt::format(
      R"({{"zarr_format":3,"node_type":"array","shape":[5,7,9],)"
      R"("data_type":"complex64","chunk_grid":{{"name":"regular",)"
      R"("configuration":{{"chunk_shape":[2,6,8]}}}},)"
      R"("chunk_key_encoding":"default","fill_value":[1.0,0.0],"codecs":{}}})",
      codecs));
  const ArrayLayout layout = make_layout(metadata);
  EXPECT_EQ(layout.object_shape, (Shape{2, 6, 8}));
  EXPECT_EQ(layout.chunk_shape, (Shape{1, 3, 4}));
  EXPECT_EQ(inner_chunks(metadata), layout.chunk_shape);
  ASSERT_EQ(layout.shards.size(), 1u);
  EXPECT_EQ(layout.shards[0].axis_order, (std::vector<int>{2, 0, 1}));
  EXPECT_EQ(layout.shards[0].chunk_counts, (Shape{2, 2, 2}));
  EXPECT_EQ(layout.shards[0].index_bytes, 16 * 8 + 4);
  EXPECT_EQ(layout.axis_order, (std::vector<int>{0, 2, 1}));
  EXPECT_EQ(layout.chunk_bytes(), 12 * 8);
  EXPECT_EQ(layout.fill[0], std::byte{0x3f});
  EXPECT_TRUE(layout.scalars[1].big_endian);
}

TEST(Layout, WhatCannotBeDecodedIsNamed) {
  const auto message = [](const std::string& codecs, const char* type,
                          const char* fill, ErrorKind kind) {
    return error_of([&] { make_layout(v3_array(codecs.c_str(), type, fill)); },
                    kind);
  };
  const auto expect = [&](const std::string& codecs, const char* type,
                          const char* fill, ErrorKind kind, const char* part) {
    const std::string text = message(codecs, type, fill, kind);
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  const std::string plain = fmt::format("[{}]", kLittle);
  const auto f4 = "\"float32\"";
  const auto kUnsupported = ErrorKind::kUnsupported;
  const auto kCorrupt = ErrorKind::kCorrupt;
  expect(plain, "\"string\"", "\"\"", kUnsupported, "string");
  expect(plain, "\"posit9\"", "0", kUnsupported, "posit9");
  expect(plain, f4, "\"abc\"", kUnsupported, "\"abc\"");
  expect("[]", f4, "0", kCorrupt, "bytes");
  expect("[\"gzip\"]", f4, "0", kCorrupt,
         "the codecs lack one that makes bytes");
  expect("[\"enigma\"]", f4, "0", kUnsupported, "rechunk cannot decode enigma");
  expect(fmt::format("[{},\"enigma\"]", kLittle), f4, "0", kUnsupported,
         "enigma");
  expect("[\"numcodecs.delta\",\"bytes\"]", f4, "0", kUnsupported, "delta");
  expect("[" + sharding("[5,3]", kLittle) + "]", f4, "0", kCorrupt, "divide");
  expect("[" + sharding("[3,3]", kLittle) + "," + kZstd + "]", f4, "0",
         kUnsupported, "whole shards");
  expect("[" +
             sharding("[3,3]", kLittle, R"(,"index_codecs":["bytes","zstd"])") +
             "]",
         f4, "0", kUnsupported, "index");
  expect(R"([{"name":"transpose","configuration":{"order":[0,0]}},"bytes"])",
         f4, "0", kCorrupt, "permutation");
}

TEST(Layout, SizesThatOverflowAreRefused) {
  const ArrayMetadata huge = parse_array_v2(
      R"({"zarr_format":2,"shape":[4611686018427387904,4],"chunks":[1,1],)"
      R"("dtype":"<f8","compressor":null,"filters":null,"fill_value":0,)"
      R"("order":"C"})",
      {});
  error_of([&] { make_layout(huge); }, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace rechunk

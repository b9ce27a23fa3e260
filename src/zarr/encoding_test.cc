// Chunk keys, conversion, with_layout, same_encoding: arrays as a whole.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rechunk/error.h"
#include "zarr/layout.h"
#include "zarr/metadata.h"

namespace rechunk {
namespace {

constexpr const char* kBlosc =
    R"({"id":"blosc","cname":"lz4","clevel":5,"shuffle":1,"blocksize":0})";

ArrayMetadata v2_array(const char* dtype, const char* fill, const char* order,
                       const char* compressor,
                       const std::optional<std::string>& attributes = {}) {
  return parse_array_v2(
      fmt::format(R"({{"zarr_format":2,"shape":[7,5],"chunks":[3,4],)"
                  R"("dtype":{},"fill_value":{},"order":"{}","filters":null,)"
                  R"("compressor":{},"mine":1}})",
                  dtype, fill, order, compressor),
      attributes);
}

ArrayMetadata v3_array(const char* codecs, const char* type = "\"float32\"",
                       const char* fill = "0.0", const char* more = "") {
  return parse_array_v3(fmt::format(
      R"({{"zarr_format":3,"node_type":"array","shape":[12,12],)"
      R"("data_type":{},"chunk_grid":{{"name":"regular","configuration":)"
      R"({{"chunk_shape":[12,6]}}}},"chunk_key_encoding":{{"name":"default"}},)"
      R"("fill_value":{},"codecs":{}{}}})",
      type, fill, codecs, more));
}

std::string sharding(const char* chunk_shape, const std::string& codecs,
                     const char* more = "") {
  return fmt::format(R"({{"name":"sharding_indexed","configuration":)"
                     R"({{"chunk_shape":{},"codecs":[{}]{}}}}})",
                     chunk_shape, codecs, more);
}

constexpr const char* kLittle =
    R"({"name":"bytes","configuration":{"endian":"little"}})";
constexpr const char* kZstd = R"({"name":"zstd","configuration":{"level":3}})";

nlohmann::json document(const ArrayMetadata& metadata) {
  return nlohmann::json::parse(format_array(metadata).back().second);
}

template <class Action>
std::string error_of(Action&& action, ErrorKind kind) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(Encoding, ChunkKeysFollowTheEncoding) {
  EXPECT_EQ(chunk_key({false, '/'}, {0, 12, 3}), "c/0/12/3");
  EXPECT_EQ(chunk_key({false, '.'}, {0, 12}), "c.0.12");
  EXPECT_EQ(chunk_key({true, '.'}, {0, 12}), "0.12");
  EXPECT_EQ(chunk_key({true, '/'}, {4}), "4");
  EXPECT_EQ(chunk_key({false, '/'}, {}), "c");
  EXPECT_EQ(chunk_key({true, '.'}, {}), "0");
}

TEST(Convert, ObjectsOfV2ServeV3AndTheOtherWayRound) {
  for (const char* dtype : {"\"<f4\"", "\">i8\"", "\"|S3\"", "\">U2\"",
                            "\"<M8[ns]\"", R"([["a",">i4"],["b",">f8"]])"})
    for (const char* order : {"C", "F"})
      for (const char* compressor :
           {"null", kBlosc, R"({"id":"zstd","level":2})",
            R"({"id":"gzip","level":1})", R"({"id":"zlib","level":1})",
            R"({"id":"lz4","acceleration":1})"}) {
        const ArrayMetadata v2 = v2_array(dtype, "null", order, compressor);
        const ArrayMetadata v3 = convert_format(v2, 3);
        const ArrayMetadata back = convert_format(v3, 2);
        EXPECT_TRUE(same_encoding(v2, v3)) << dtype << order << compressor;
        EXPECT_TRUE(same_encoding(v3, back));
        EXPECT_EQ(nlohmann::json::parse(back.v2_compressor),
                  nlohmann::json::parse(v2.v2_compressor));
        EXPECT_EQ(back.v2_order_f, v2.v2_order_f);
        EXPECT_EQ(back.data_type.label(), v2.data_type.label());
        EXPECT_TRUE(
            same_encoding(v3, parse_array_v3(format_array(v3)[0].second)));
        EXPECT_FALSE(v3.key_encoding.v2);
        EXPECT_TRUE(v3.extra.empty());
      }
}

TEST(Convert, DimensionNamesMoveAndOtherAttributesStay) {
  const ArrayMetadata v2 =
      v2_array("\"<f4\"", "\"NaN\"", "C", "null",
               "{\"a\": NaN ,  \"_ARRAY_DIMENSIONS\": [\"t\", \"x\"], "
               "\"z\":1.0 }");
  const ArrayMetadata v3 = convert_format(v2, 3);
  EXPECT_EQ(v3.attributes, "{\"a\": NaN ,  \"z\":1.0 }");
  EXPECT_NE(format_array(v3)[0].second.find("\"dimension_names\": [\"t\", "
                                            "\"x\"]"),
            std::string::npos);
  const ArrayMetadata back = convert_format(v3, 2);
  EXPECT_EQ(back.dimension_names, v2.dimension_names);
  EXPECT_EQ(
      back.attributes,
      "{\"a\": NaN ,  \"z\":1.0, \"_ARRAY_DIMENSIONS\": [\"t\", \"x\"] }");
}

TEST(Convert, ZerosThatV3HadToNameAreNotAMissingValueInV2) {
  const std::string codecs = fmt::format("[{}]", kLittle);
  const auto fill = [&](const char* value, const char* more) {
    const auto v3 = v3_array(codecs.c_str(), "\"float32\"", value, more);
    return convert_format(v3, 2).fill_value.json;
  };
  const char* names = R"(,"dimension_names":["x","y"])";
  EXPECT_EQ(fill("0.0", names), "null");
  EXPECT_EQ(fill("-0.0", names), "-0.0");
  EXPECT_EQ(fill("1.5", names), "1.5");
  EXPECT_EQ(fill("0.0", ""), "0.0");
  EXPECT_EQ(fill("0.0", R"(,"dimension_names":["x","y"],)"
                        R"("attributes":{"_FillValue":0})"),
            "0.0");
}

TEST(Convert, WhatTheOtherFormatLacksIsUnsupportedAndNamed) {
  const auto to_v2 = [](const std::string& codecs, const char* type,
                        const char* fill) {
    return error_of(
        [&] { convert_format(v3_array(codecs.c_str(), type, fill), 2); },
        ErrorKind::kUnsupported);
  };
  const std::string plain = fmt::format("[{}]", kLittle);
  EXPECT_NE(to_v2("[" + sharding("[3,3]", kLittle) + "]", "\"float32\"", "0.0")
                .find("shards"),
            std::string::npos);
  EXPECT_NE(to_v2(fmt::format("[{},\"crc32c\"]", kLittle), "\"float32\"", "0.0")
                .find("crc32c"),
            std::string::npos);
  EXPECT_NE(to_v2(plain, "\"float32\"", "\"0x7fc00001\"").find("7fc00001"),
            std::string::npos);
  EXPECT_NE(to_v2(plain, "\"bfloat16\"", "0.0").find("bfloat16"),
            std::string::npos);
  const auto mixed =
      v2_array(R"([["a","<i4"],["b",">i4"]])", "null", "C", "null");
  EXPECT_NE(error_of([&] { convert_format(mixed, 3); }, ErrorKind::kUnsupported)
                .find("mixed byte order"),
            std::string::npos);
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
  expect(plain, f4, "\"abc\"", kCorrupt, "\"abc\"");
  expect("[]", f4, "0", kCorrupt, "bytes");
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

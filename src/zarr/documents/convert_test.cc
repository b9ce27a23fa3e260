// From v2 to v3 and back.
#include "zarr/documents/convert.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rechunk/error.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/example_documents.h"
#include "zarr/documents/metadata.h"

namespace rechunk {
namespace {

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
  EXPECT_EQ(v3.attributes,
            "{\"a\": NaN ,  \"z\":1.0, \"_FillValue\": \"AAAAAAAA+H8=\" }");
  EXPECT_NE(format_array(v3)[0].second.find("\"dimension_names\": [\"t\", "
                                            "\"x\"]"),
            std::string::npos);
  const ArrayMetadata back = convert_format(v3, 2);
  EXPECT_EQ(back.dimension_names, v2.dimension_names);
  EXPECT_EQ(
      back.attributes,
      "{\"a\": NaN ,  \"z\":1.0, \"_ARRAY_DIMENSIONS\": [\"t\", \"x\"] }");
}

/// xarray's dimensions, with attributes.
std::string opened(const char* attributes) {
  return fmt::format(R"(,"dimension_names":["x","y"],"attributes":{})",
                     attributes);
}

TEST(Convert, TheMissingValueOfV3BecomesTheFillValueOfV2) {
  const auto fill = [](const char* type, const char* value,
                       const std::string& more) {
    const auto v3 = v3_array(fmt::format("[{}]", kLittle).c_str(), type, value,
                             more.c_str());
    const ArrayMetadata v2 = convert_format(v3, 2);
    return v2.fill_value.json + *v2.attributes;
  };
  const std::string names = R"({"_ARRAY_DIMENSIONS": ["x", "y"]})";
  const char* f4 = "\"float32\"";
  EXPECT_EQ(fill(f4, "0.0", opened("{}")), "null" + names);
  EXPECT_EQ(fill(f4, "-0.0", opened("{}")), "null" + names);
  EXPECT_EQ(fill(f4, "1.5", opened("{}")), "null" + names);
  EXPECT_EQ(fill(f4, "\"NaN\"", opened("{}")), "\"NaN\"" + names);
  EXPECT_EQ(fill(f4, "0.0", ""), "0.0{}");
  EXPECT_EQ(fill(f4, "0.0", opened(R"({"_FillValue":"AAAAAACH08A="})")),
            "-19996.0" + names);
  EXPECT_EQ(fill("\"int16\"", "0", opened(R"({"_FillValue":-7})")),
            "-7" + names);
  // No element of int16 is that: the attribute stays.
  EXPECT_EQ(fill("\"int16\"", "0", opened(R"({"_FillValue":65535})")),
            R"(null{"_FillValue":65535, "_ARRAY_DIMENSIONS": ["x", "y"]})");
  EXPECT_EQ(fill("\"complex64\"", "[0.0, 0.0]",
                 opened(R"({"_FillValue":["AAAAAAAA+H8=","AAAAAAAA8D8="]})")),
            "[\"NaN\", 1.0]" + names);
}

TEST(Convert, TheFillValueOfV2StaysAMissingValueInV3) {
  const auto attributes = [](const char* type, const char* fill,
                             const char* more) {
    const std::string zattrs =
        fmt::format(R"({{"_ARRAY_DIMENSIONS":["t","x"]{}}})", more);
    const ArrayMetadata v2 = v2_array(type, fill, "C", "null", zattrs);
    return *convert_format(v2, 3).attributes;
  };
  EXPECT_EQ(attributes("\"<f4\"", "1.0", ""),
            R"({"_FillValue": "AAAAAAAA8D8="})");
  EXPECT_EQ(attributes("\">i2\"", "-9", R"(,"_FillValue":5)"),
            R"({"_FillValue": -9})");
  EXPECT_EQ(attributes("\"<i2\"", "null", R"(,"_FillValue":5)"),
            R"({"_FillValue": 5})");
  EXPECT_EQ(attributes("\"<f8\"", "null", R"(,"_FillValue":1e20)"),
            R"({"_FillValue": "QIy1eB2vFUQ="})");
  EXPECT_EQ(attributes("\"|b1\"", "true", ""), R"({"_FillValue": true})");
  EXPECT_EQ(attributes("\"<c8\"", "[1.0, \"NaN\"]", ""),
            R"({"_FillValue": ["AAAAAAAA8D8=", "AAAAAAAA+H8="]})");
  // xarray's decoder refuses such attributes of these types.
  EXPECT_EQ(attributes("\"<U2\"", "\"\"", R"(,"_FillValue":"x")"), "{}");
  EXPECT_EQ(attributes("\"<M8[s]\"", "0", ""), "{}");
}

TEST(Convert, CodecsAreWrittenAsReadersOfV3TakeThem) {
  const auto codec = [](const char* compressor) {
    const ArrayMetadata v2 = v2_array("\"<f4\"", "null", "C", compressor);
    return convert_format(v2, 3).codecs.back().configuration;
  };
  EXPECT_EQ(codec(R"({"id":"zstd","level":3,"checksum":"NO"})"),
            R"({"level": 3, "checksum": false})");
  EXPECT_EQ(codec(R"({"id":"zstd","level":30,"checksum":"YES","a":1})"),
            R"({"level": 22, "checksum": true})");
  EXPECT_EQ(codec(R"({"id":"gzip","level":-1})"), R"({"level": 6})");
  EXPECT_EQ(codec(R"({"id":"zlib","level":1,"x":2})"), R"({"level":1})");
  EXPECT_EQ(codec(R"({"id":"of_others","level":"x"})"), R"({"level":"x"})");
  for (const char* bad :
       {R"({"id":"zstd","level":"3"})", R"({"id":"gzip","level":10})",
        R"({"id":"blosc","clevel":true})", R"({"id":"zstd","checksum":1})",
        R"({"id":"bz2","level":0})", R"({"id":"lzma","filters":{}})"})
    EXPECT_NE(error_of([&] { codec(bad); }, ErrorKind::kUnsupported)
                  .find("Zarr v3 cannot say"),
              std::string::npos)
        << bad;
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

}  // namespace
}  // namespace rechunk

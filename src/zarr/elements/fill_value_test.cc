#include "zarr/elements/fill_value.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "rechunk/error.h"
#include "zarr/elements/base64.h"
#include "zarr/elements/element_type.h"

namespace rechunk {
namespace {

std::string hex(const std::vector<std::byte>& bytes) {
  std::string text;
  for (std::byte b : bytes)
    text += fmt::format("{:02x}", std::to_integer<int>(b));
  return text;
}

std::string bits_v2(const char* dtype, const char* json) {
  return hex(parse_fill_value(json, parse_data_type_v2(dtype), 2).bits);
}

std::string bits_v3(const char* type, const char* json, bool big = false) {
  return hex(parse_fill_value(json, parse_data_type_v3(type, big), 3).bits);
}

TEST(FillValue, TokensOfV2BecomeStoredBits) {
  EXPECT_EQ(bits_v2("<f4", "NaN"), "0000c07f");
  EXPECT_EQ(bits_v2(">f4", "\"NaN\""), "7fc00000");
  EXPECT_EQ(bits_v2("<f4", "\"nan\""), "0000c07f");
  EXPECT_EQ(bits_v2("<f8", "-0.0"), "0000000000000080");
  EXPECT_EQ(bits_v2("<f8", "-0"), "0000000000000000");
  EXPECT_EQ(bits_v2("<f4", "1e20"), "ec78ad60");
  EXPECT_EQ(bits_v2("<f2", "\"-Infinity\""), "00fc");
  EXPECT_EQ(bits_v2("<u8", "18446744073709551615"), "ffffffffffffffff");
  EXPECT_EQ(bits_v2(">i2", "-32768"), "8000");
  EXPECT_EQ(bits_v2("<i4", "7.0"), "07000000");
  EXPECT_EQ(bits_v2("|b1", "true"), "01");
  EXPECT_EQ(bits_v2("|b1", "1"), "01");
  EXPECT_EQ(bits_v2(">c8", "[1.0, \"NaN\"]"), "3f8000007fc00000");
  EXPECT_EQ(bits_v2("|S4", "\"YWI=\""), "61620000");
  EXPECT_EQ(bits_v2("|V3", "\"AQID\""), "010203");
  EXPECT_EQ(bits_v2("|V3", "\"\""), "000000");
  EXPECT_EQ(bits_v2(">U2", "\"\\ud83d\\ude00\""), "0001f60000000000");
  EXPECT_EQ(bits_v2("<M8[ns]", "\"NaT\""), "0000000000000080");
  EXPECT_EQ(bits_v2("<M8[ns]", "-9223372036854775808"), "0000000000000080");
  EXPECT_EQ(bits_v2(R"([["a",">i2"],["b","|S1"]])", "\"AAFB\""), "000141");
}

TEST(FillValue, TokensOfV3BecomeStoredBits) {
  EXPECT_EQ(bits_v3("\"float32\"", "\"0x7fc00001\""), "0100c07f");
  EXPECT_EQ(bits_v3("\"float32\"", "\"0x7fc00001\"", true), "7fc00001");
  EXPECT_EQ(bits_v3("\"bfloat16\"", "-1.5"), "c0bf");
  EXPECT_EQ(bits_v3("\"float8_e4m3fn\"", "\"NaN\""), "7f");
  EXPECT_EQ(bits_v3("\"float8_e5m2\"", "\"0x7d\""), "7d");
  EXPECT_EQ(bits_v3("\"int4\"", "-8"), "f8");
  EXPECT_EQ(bits_v3("\"complex64\"", "[0.0, \"0x7fc00001\"]"),
            "000000000100c07f");
  EXPECT_EQ(bits_v3("\"r24\"", "[1, 2, 255]"), "0102ff");
  const char* type =
      R"({"name":"struct","configuration":{"fields":[)"
      R"({"name":"a","data_type":"int16"},{"name":"b","data_type":"uint8"}]}})";
  EXPECT_EQ(bits_v3(type, R"({"b": 3, "a": 1})", true), "000103");
  EXPECT_EQ(bits_v3(type, "\"AQAD\"", true), "000103");
  EXPECT_EQ(bits_v3(type, "\"AQAD\"", false), "010003");
}

TEST(FillValue, OddTokensMeanWhatTheyDoForPythonAndAreWrittenPlainly) {
  const auto written = [](const char* dtype, const char* json) {
    const DataType type = parse_data_type_v2(dtype);
    return standard_fill_value(parse_fill_value(json, type, 2), type, 2).json;
  };
  EXPECT_EQ(written("<f4", "\"1e37\""), "1e+37");
  EXPECT_EQ(written("<f4", "\" +Inf \""), "\"Infinity\"");
  EXPECT_EQ(written("<f8", "true"), "1.0");
  EXPECT_EQ(written("<f8", "NaN"), "\"NaN\"");
  EXPECT_EQ(written("<i8", "-9.223372036854776e+18"), "-9223372036854775808");
  EXPECT_EQ(written("<i4", "\"-7\""), "-7");
  EXPECT_EQ(written("<i4", "true"), "1");
  EXPECT_EQ(written("|i1", "128"), "-128");
  EXPECT_EQ(written("|u1", "-1"), "255");
  EXPECT_EQ(written("|b1", "\"false\""), "true");
  EXPECT_EQ(written("|b1", "2"), "true");
  EXPECT_EQ(written("<c8", "0"), "[0.0, 0.0]");
  EXPECT_EQ(written("<U2", "0"), "\"\"");
  for (const char* kept : {"null", "1.50", "\"NaN\"", "1e20"})
    EXPECT_EQ(written("<f4", kept), kept);
}

TEST(FillValue, NullAndZeroAreZerosForEveryType) {
  for (const char* dtype : {"|b1", "<f4", ">c16", "|S3", "<U2", "|V5",
                            R"([["a","<i4"],["b","<f8",[2]]])"}) {
    const DataType type = parse_data_type_v2(dtype);
    for (const char* json : {"null", "0"}) {
      const FillValue fill = parse_fill_value(json, type, 2);
      EXPECT_EQ(fill.json, json);
      EXPECT_EQ(fill.bits, std::vector<std::byte>(type.item_bytes)) << dtype;
    }
  }
}

TEST(FillValue, OfTimesNullIsNoTime) {
  EXPECT_EQ(bits_v2("<M8[s]", "null"), "0000000000000080");
  EXPECT_EQ(bits_v2(">m8[ns]", "null"), "8000000000000000");
  EXPECT_EQ(bits_v2("<M8[s]", "0"), "0000000000000000");
}

TEST(FillValue, ElementsArePrintedAsPeopleReadThem) {
  const auto printed = [](const char* dtype, const char* json) {
    const DataType type = parse_data_type_v2(dtype);
    return describe_element(parse_fill_value(json, type, 2).bits, type);
  };
  EXPECT_EQ(printed(">i2", "-7"), "-7");
  EXPECT_EQ(printed("<f4", "0.1"), "0.1");
  EXPECT_EQ(printed(">f8", "-0.0"), "-0.0");
  EXPECT_EQ(printed("<f2", "\"NaN\""), "\"NaN\"");
  EXPECT_EQ(printed("|b1", "true"), "true");
  EXPECT_EQ(printed("|S4", "\"YWI=\""), "\"ab\"");
  EXPECT_EQ(printed("|S2", "\"AQI=\""), "0x0102");
  EXPECT_EQ(printed("|V2", "\"AQI=\""), "0x0102");
  EXPECT_EQ(printed("<U2", "\"a\""), "\"a\"");
  EXPECT_EQ(printed(R"([["a","<i2",[2]]])", "0"), "0x00000000");
}

TEST(FillValue, TokensThatMeanNothingLeaveNoBits) {
  EXPECT_EQ(bits_v2("<i4", "1.5"), "");
  EXPECT_EQ(bits_v2("<i2", "1e20"), "");
  EXPECT_EQ(bits_v2("<i2", "\"1.0\""), "");
  EXPECT_EQ(bits_v2("|b1", "[]"), "");
  EXPECT_EQ(bits_v2("<f4", "\"x\""), "");
  EXPECT_EQ(bits_v2("<f4", "{}"), "");
  EXPECT_EQ(bits_v2("<c8", "[1]"), "");
  EXPECT_EQ(bits_v2("|S2", "\"YWJj\""), "");
  EXPECT_EQ(bits_v2("|S2", "\"?\""), "");
  EXPECT_EQ(bits_v2("|V3", "\"YWI=\""), "");
  EXPECT_EQ(bits_v2("<U1", "\"ab\""), "");
  EXPECT_EQ(bits_v3("\"uint2\"", "4"), "");
  EXPECT_EQ(bits_v3("\"float32\"", "\"0x7fc0\""), "");
  EXPECT_EQ(bits_v3("\"r16\"", "[256, 0]"), "");
}

/// Conversion to the other format and back must give the same element.
TEST(FillValue, RandomElementsSurviveBothConversions) {
  std::mt19937 random(3);
  for (const char* dtype :
       {"|i1", "<u2", ">i4", "<i8", ">u8", "<f2", ">f4", "<f8", ">c8", "<c16",
        "<M8[ns]", ">m8[D]", "|S3", "|V5",
        R"([["a",">i4"],["b",">f4"],["c","|S2"]])"}) {
    const DataType type = parse_data_type_v2(dtype);
    for (int i = 0; i < 300; ++i) {
      FillValue fill{"unknown", {}};
      for (std::int64_t n = 0; n < type.item_bytes; ++n)
        fill.bits.push_back(static_cast<std::byte>(random() & 0xff));
      const FillValue v3 = convert_fill_value(fill, type, 3);
      const auto again = parse_fill_value(v3.json, type, 3).bits;
      ASSERT_EQ(hex(again), hex(fill.bits)) << dtype << ' ' << v3.json;
      try {
        const FillValue v2 = convert_fill_value(v3, type, 2);
        ASSERT_EQ(hex(parse_fill_value(v2.json, type, 2).bits), hex(fill.bits))
            << dtype << ' ' << v2.json;
      } catch (const Error& error) {
        ASSERT_NE(v3.json.find("0x"), std::string::npos) << v3.json;
        ASSERT_EQ(error.kind(), ErrorKind::kUnsupported);
      }
    }
  }
}

TEST(FillValue, TextSurvivesConversion) {
  const DataType type = parse_data_type_v2(">U5");
  const FillValue fill = parse_fill_value("\"a\\\"\u00e9\U0001f600\"", type, 2);
  ASSERT_FALSE(fill.bits.empty());
  FillValue unknown{"[]", fill.bits};
  const FillValue v3 = convert_fill_value(unknown, type, 3);
  EXPECT_EQ(parse_fill_value(v3.json, type, 3).bits, fill.bits) << v3.json;
}

TEST(FillValue, TokensThatBothFormatsReadStayVerbatim) {
  const auto kept = [](const char* dtype, const char* json) {
    const DataType type = parse_data_type_v2(dtype);
    return convert_fill_value(parse_fill_value(json, type, 2), type, 3).json;
  };
  EXPECT_EQ(kept("<f4", "1e20"), "1e20");
  EXPECT_EQ(kept("<f8", "0.10000000000000000555"), "0.10000000000000000555");
  EXPECT_EQ(kept("<f4", "NaN"), "\"NaN\"");
  EXPECT_EQ(kept("<f4", "null"), "0.0");
  EXPECT_EQ(kept("<M8[s]", "null"), "-9223372036854775808");
  EXPECT_EQ(kept("<i4", "5.0"), "5");
  EXPECT_EQ(kept("|b1", "0"), "false");
  EXPECT_EQ(kept("|O", "0"), "\"\"");
}

TEST(Base64, RandomBytesSurviveAndBrokenTextIsRefused) {
  std::mt19937 random(4);
  for (std::size_t size = 0; size < 50; ++size) {
    std::vector<std::byte> bytes(size);
    for (auto& b : bytes) b = static_cast<std::byte>(random() & 0xff);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
  EXPECT_EQ(from_base64("abc"), std::nullopt);
  EXPECT_EQ(from_base64("a?cd"), std::nullopt);
  EXPECT_EQ(from_base64("===="), std::nullopt);
}

}  // namespace
}  // namespace rechunk

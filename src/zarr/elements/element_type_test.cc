#include "zarr/elements/element_type.h"

#include <gtest/gtest.h>

#include "rechunk/error.h"

namespace rechunk {
namespace {

std::string widths(const DataType& type) {
  std::string text;
  for (const auto& scalar : type.scalars) {
    const char* mark = !scalar.swappable ? "" : scalar.big_endian ? ">" : "<";
    text += (text.empty() ? "" : " ") + (mark + std::to_string(scalar.bytes));
  }
  return text;
}

TEST(ElementType, TypestrsBecomeCanonicalAndTranslate) {
  struct Case {
    const char *typestr, *v2, *v3, *widths;
  };
  const Case cases[] = {
      {"<f4", "<f4", "\"float32\"", "<4"},
      {">f8", ">f8", "\"float64\"", ">8"},
      {"<i1", "|i1", "\"int8\"", "1"},
      {">u1", "|u1", "\"uint8\"", "1"},
      {"<b1", "|b1", "\"bool\"", "1"},
      {"f2", "<f2", "\"float16\"", "<2"},
      {"=i8", "<i8", "\"int64\"", "<8"},
      {">c16", ">c16", "\"complex128\"", ">8 >8"},
      {"<f16", "<f16", "", "<16"},
      {"<M8[ns]", "<M8[ns]",
       R"({"name": "numpy.datetime64", "configuration": )"
       R"({"unit": "ns", "scale_factor": 1}})",
       "<8"},
      {">m8[10s]", ">m8[10s]",
       R"({"name": "numpy.timedelta64", "configuration": )"
       R"({"unit": "s", "scale_factor": 10}})",
       ">8"},
      {"<M8", "<M8",
       R"({"name": "numpy.datetime64", "configuration": )"
       R"({"unit": "generic", "scale_factor": 1}})",
       "<8"},
      {"<M8[\u03bcs]", "<M8[us]",
       R"({"name": "numpy.datetime64", "configuration": )"
       R"({"unit": "us", "scale_factor": 1}})",
       "<8"},
      {"<S5", "|S5",
       R"({"name": "null_terminated_bytes", "configuration": )"
       R"({"length_bytes": 5}})",
       "5"},
      {">U3", ">U3",
       R"({"name": "fixed_length_utf32", "configuration": )"
       R"({"length_bytes": 12}})",
       ">4 >4 >4"},
      {">V300", "|V300",
       R"({"name": "raw_bytes", "configuration": {"length_bytes": 300}})",
       "300"},
      {"bfloat16", "bfloat16", "\"bfloat16\"", "<2"},
      {"int4", "int4", "\"int4\"", "1"},
      {"|O", "|O", "", ""},
      {"<f3", "<f3", "", ""},
      {"nonsense", "nonsense", "", ""},
      {"<M8[", "<M8[", "", ""},
  };
  for (const Case& c : cases) {
    const DataType type = parse_data_type_v2(c.typestr);
    EXPECT_EQ(type.v2, c.v2);
    EXPECT_EQ(type.v3, c.v3) << c.typestr;
    EXPECT_EQ(widths(type), c.widths) << c.typestr;
  }
}

TEST(ElementType, ScalarsOfStructuresFollowTheFields) {
  const DataType type = parse_data_type_v2(
      R"([["a","<i4"],["p",[["x",">f4"],["s","|S3"]],[2]],["z","<c8",[1,2]]])");
  EXPECT_EQ(type.item_bytes, 4 + 2 * 7 + 16);
  EXPECT_EQ(widths(type), "<4 >4 3 >4 3 <4 <4 <4 <4");
  EXPECT_TRUE(type.v3.empty());
  EXPECT_EQ(type.label(), "struct of 34 bytes");
}

TEST(ElementType, StructuresOfOneByteOrderTranslateToV3AndBack) {
  const DataType v2 =
      parse_data_type_v2(R"([["a",">i4"],["p",[["x",">f4"],["s","|S3"]]]])");
  ASSERT_FALSE(v2.v3.empty());
  const DataType v3 = parse_data_type_v3(v2.v3, true);
  EXPECT_EQ(widths(v3), widths(v2));
  EXPECT_TRUE(same_type(v2, v3));
  EXPECT_TRUE(same_type(v2, parse_data_type_v2(v3.v2)));
  EXPECT_TRUE(same_type(v2, parse_data_type_v3(v2.v3, false)));
}

TEST(ElementType, MixedByteOrdersHaveNoV3Form) {
  const DataType type = parse_data_type_v2(R"([["a",">i4"],["b","<i4"]])");
  EXPECT_TRUE(has_mixed_byte_order(type));
  EXPECT_TRUE(type.v3.empty());
}

TEST(ElementType, V3TypesHaveTheSizesOfTheirExtensions) {
  struct Case {
    const char* json;
    std::int64_t bytes;
    const char* v2;
  };
  const Case cases[] = {
      {"\"int32\"", 4, "<i4"},
      {R"({"name":"int32"})", 4, "<i4"},
      {"\"r24\"", 3, "|V3"},
      {"\"r7\"", 0, ""},
      {"\"float8_e4m3fnuz\"", 1, ""},
      {"\"float6_e2m3fn\"", 1, ""},
      {"\"uint2\"", 1, ""},
      {"\"complex_bfloat16\"", 4, ""},
      {"\"complex_float32\"", 8, "<c8"},
      {"\"string\"", 0, "|O"},
      {"\"variable_length_bytes\"", 0, "|O"},
      {R"({"name":"optional","configuration":{"name":"int8"}})", 0, ""},
      {R"({"name":"structured","configuration":{"fields":[["a","int32"],)"
       R"(["b","float64"]]}})",
       12, R"([["a", "<i4"], ["b", "<f8"]])"},
  };
  for (const Case& c : cases) {
    const DataType type = parse_data_type_v3(c.json, false);
    EXPECT_EQ(type.item_bytes, c.bytes) << c.json;
    EXPECT_EQ(type.v2, c.v2) << c.json;
  }
  EXPECT_EQ(parse_data_type_v3(R"({"name":"int32"})", false).v3, "\"int32\"");
}

TEST(ElementType, TypesAreTheSameWhateverTheirByteOrder) {
  const auto v2 = [](const char* text) { return parse_data_type_v2(text); };
  const auto v3 = [](const char* text) {
    return parse_data_type_v3(text, false);
  };
  EXPECT_TRUE(same_type(v2(">f4"), v3("\"float32\"")));
  EXPECT_TRUE(same_type(v2("|V3"), v3("\"r24\"")));
  EXPECT_FALSE(same_type(v2("<f4"), v2("<i4")));
  EXPECT_FALSE(same_type(v2("<M8[s]"), v2("<M8[ms]")));
  EXPECT_FALSE(same_type(v3("\"string\""), v3("\"bytes\"")));
  EXPECT_TRUE(same_type(v3("\"unheard_of\""), v3("\"unheard_of\"")));
  EXPECT_TRUE(same_type(v3(R"({"name": "odd", "a": [1]})"),
                        v3(R"({"a":[1],"name":"odd"})")));
  EXPECT_FALSE(same_type(v3(R"({"name": "odd"})"), v3(R"({"name": "even"})")));
  EXPECT_FALSE(same_type(v3("\"float8_e4m3\""), v3("\"float8_e5m2\"")));
}

TEST(ElementType, HostileSizesAreRefused) {
  for (const char* text :
       {"<S99999999999", "|V2147483648", "<U1073741824", "<M8[0s]", "<m8[-3D]",
        "<M8[1]", R"([["a","<i4",[1000000000,1000000000,1000000000]]])",
        R"([["a","<i4",[-1]]])", R"([["a","<i4"],["a","<i2"]])", R"([["a"]])",
        R"([3])", R"([["a","<i4",[99999999]]])"})
    EXPECT_THROW(parse_data_type_v2(text), Error) << text;
  EXPECT_THROW(
      parse_data_type_v3(R"({"name":"raw_bytes","configuration":{}})", false),
      Error);
  EXPECT_THROW(
      parse_data_type_v3(
          R"({"name":"numpy.datetime64","configuration":{"unit":""}})", false),
      Error);
  EXPECT_THROW(parse_data_type_v3(
                   R"({"name":"struct","configuration":{"fields":[
              ["a","int8"],["a","int16"]]}})",
                   false),
               Error);
  EXPECT_THROW(parse_data_type_v3("7", false), Error);
}

}  // namespace
}  // namespace rechunk

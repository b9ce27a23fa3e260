#include "json/raw_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "rechunk/error.h"

namespace rechunk::raw_json {
namespace {

/// Random JSON text with odd white space; grows no deeper than `depth`.
std::string random_json(std::mt19937& random, int depth) {
  const auto pick = [&](int n) { return static_cast<int>(random() % n); };
  const auto space = [&] { return std::string(pick(3), " \n\t"[pick(3)]); };
  const char* scalars[] = {"0",
                           "-1.5e+3",
                           "true",
                           "null",
                           "false",
                           "1E2",
                           "\"\"",
                           "\"a\\\"b\\u00e9\\n\"",
                           "18446744073709551615",
                           "\"\u00fc{[,:\""};
  const int kind = depth == 0 ? 0 : pick(3);
  if (kind == 0) return scalars[pick(10)];
  std::string text;
  const int count = pick(4);
  for (int i = 0; i < count; ++i) {
    text += i ? "," + space() : space();
    if (kind == 1) text += fmt::format("\"k{}\\t\"{}:{}", i, space(), space());
    text += random_json(random, depth - 1) + space();
  }
  return kind == 1 ? fmt::format("{{{}}}", text) : fmt::format("[{}]", text);
}

void expect_corrupt(const std::string& text) {
  try {
    parse(text);
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << text;
  }
}

TEST(RawJson, LayoutsOfRandomDocumentsMeanTheSame) {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_json(random, 5);
    const auto expected = nlohmann::json::parse(text);
    EXPECT_EQ(parse("\n " + text + " "), text);
    EXPECT_EQ(nlohmann::json::parse(indented(text, 2)), expected);
    EXPECT_EQ(nlohmann::json::parse(canonical(text)), expected);
    EXPECT_EQ(canonical(indented(text, 0)), canonical(text));
  }
}

TEST(RawJson, EveryTruncationOfADocumentIsRefused) {
  std::mt19937 random(8);
  for (int i = 0; i < 200; ++i) {
    const std::string text = fmt::format("[{}]", random_json(random, 4));
    for (std::size_t size = 0; size < text.size(); ++size)
      expect_corrupt(text.substr(0, size));
  }
}

TEST(RawJson, BrokenTextIsRefused) {
  for (const char* text :
       {"",      "{",         "[1,]",    "{\"a\":1,}",  "{a:1}",    "01",
        "1.",    ".5",        "+1",      "-",           "1e",       "nan",
        "-NaN",  "tru",       "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"", "1 2",
        "[1 2]", "{\"a\" 1}", "\"\\"})
    expect_corrupt(text);
  expect_corrupt(std::string(100000, '['));
}

TEST(RawJson, OnlyUtf8IsADocument) {
  for (const char* good : {"", "a", "\u00e9", "\u20ac", "\U0001f600", "\ud7ff",
                           "\ue000", "\U0010ffff"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad :
       {"\xe9", "\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "\xe2\x82", "\xff"})
    EXPECT_FALSE(is_utf8(bad)) << quote(bad);
  EXPECT_THROW(parse("\"\xe9\""), Error);
  EXPECT_EQ(excerpt(std::string(59, 'x') + "\u20ac\u20ac").substr(58), "x...");
}

TEST(RawJson, AMillionItemsAreEnough) {
  std::string list = "[0";
  for (int i = 1; i < 1 << 20; ++i) list += ",0";
  EXPECT_EQ(elements(list + "]").size(), std::size_t{1} << 20);
  EXPECT_THROW(elements(list + ",0]"), Error);
  EXPECT_EQ(parse(list + ",0]").size(), list.size() + 3);
}

TEST(RawJson, BareTokensAndHugeNumbersStayVerbatim) {
  const std::string text =
      R"({ "a":NaN,"b": -Infinity , "c":123456789012345678901234567890,)"
      R"("d":1.0, "e":[Infinity]})";
  const auto all = members(parse(text));
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].text, "NaN");
  EXPECT_EQ(all[1].text, "-Infinity");
  EXPECT_EQ(all[2].text, "123456789012345678901234567890");
  EXPECT_EQ(all[3].text, "1.0");
  EXPECT_EQ(all[4].whole, "\"e\":[Infinity]");
}

TEST(RawJson, DuplicateKeysAreRefusedWhereTheyWouldBeInterpreted) {
  const char* text = R"({"a": 1, "\u0061": 2})";
  EXPECT_THROW(members(text), Error);
  EXPECT_EQ(members(text, Duplicates::kAllow).size(), 2u);
}

TEST(RawJson, StringsAreUnescaped) {
  EXPECT_EQ(as_string(R"("a\/\b\n\"\\é")"), "a/\b\n\"\\é");
  EXPECT_EQ(as_string(R"("\u20ac\ud83d\ude00")"), "\u20ac\U0001f600");
  EXPECT_EQ(as_string(R"("\ud800x")"), "\xed\xa0\x80x");
  EXPECT_EQ(as_string("12"), std::nullopt);
  EXPECT_EQ(quote("\xed\xa0\x80x\xed\xbf\xbf"), R"("\ud800x\udfff")");
  EXPECT_EQ(as_string(quote("tab\t \"q\" \\ \u00fc")), "tab\t \"q\" \\ \u00fc");
}

TEST(RawJson, IntegersAreExactOrNothing) {
  EXPECT_EQ(as_integer("-9223372036854775808"),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(as_integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(as_unsigned("18446744073709551615"),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(as_unsigned("-1"), std::nullopt);
  EXPECT_EQ(as_unsigned("-1.0"), std::nullopt);
  EXPECT_EQ(as_integer("3.0"), 3);
  EXPECT_EQ(as_integer("2e3"), 2000);
  EXPECT_EQ(as_integer("1.5"), std::nullopt);
  EXPECT_EQ(as_integer("1e300"), std::nullopt);
  EXPECT_EQ(as_integer("\"3\""), std::nullopt);
  EXPECT_EQ(as_integer("Infinity"), std::nullopt);
}

TEST(RawJson, NumbersBeyondDoubleBecomeInfinityOrZero) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(as_number("-1e999"), -kInfinity);
  EXPECT_EQ(as_number("1e-999"), 0.0);
  EXPECT_EQ(as_number("0.1"), 0.1);
  EXPECT_EQ(as_number("-0." + std::string(400, '0') + "1"), 0.0);
  EXPECT_EQ(as_number("1" + std::string(400, '0')), kInfinity);
  EXPECT_EQ(as_number("true"), std::nullopt);
}

TEST(RawJson, EditingAMemberLeavesAllOtherBytesAlone) {
  const std::string text = "{ \"a\" : NaN ,\n \"b\":[1,  2], \"c\": 1.0 }\n";
  EXPECT_EQ(without_member(text, "a"), "{ \"b\":[1,  2], \"c\": 1.0 }\n");
  EXPECT_EQ(without_member(text, "b"), "{ \"a\" : NaN ,\n \"c\": 1.0 }\n");
  EXPECT_EQ(without_member(text, "c"), "{ \"a\" : NaN ,\n \"b\":[1,  2] }\n");
  EXPECT_EQ(without_member(text, "d"), text);
  EXPECT_EQ(without_member("{ \"a\":1}", "a"), "{ }");
  EXPECT_EQ(with_member("{ }", "a", "[]"), "{\"a\": [] }");
  EXPECT_EQ(with_member("{\"a\": 1 }", "b", "2"), "{\"a\": 1, \"b\": 2 }");
  EXPECT_EQ(with_member("{\"a\": 1, \"b\": 2}", "a", "3"),
            "{\"b\": 2, \"a\": 3}");
}

}  // namespace
}  // namespace rechunk::raw_json

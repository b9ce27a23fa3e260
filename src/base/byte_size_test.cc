#include "base/byte_size.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "rechunk/error.h"

namespace rechunk {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

void expect_refused(const std::string& text) {
  try {
    const std::int64_t bytes = parse_byte_size(text);
    ADD_FAILURE() << "\"" << text << "\" was read as " << bytes;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("\"" + text + "\""),
              std::string::npos)
        << error.what();
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST(ByteSize, ReadsNumbersWithAndWithoutUnits) {
  EXPECT_EQ(parse_byte_size("4096"), 4096);
  EXPECT_EQ(parse_byte_size("0"), 0);
  EXPECT_EQ(parse_byte_size("2GiB"), std::int64_t{2} << 30);
  EXPECT_EQ(parse_byte_size("2 gib"), std::int64_t{2} << 30);
  EXPECT_EQ(parse_byte_size("2Gi"), std::int64_t{2} << 30);
  EXPECT_EQ(parse_byte_size("500MB"), 500'000'000);
  EXPECT_EQ(parse_byte_size(" 500 MB "), 500'000'000);
  EXPECT_EQ(parse_byte_size("500m"), 500'000'000);
  EXPECT_EQ(parse_byte_size("1e6"), 1'000'000);
  EXPECT_EQ(parse_byte_size("1.5k"), 1'500);
  EXPECT_EQ(parse_byte_size("1.5KiB"), 1'536);
  EXPECT_EQ(parse_byte_size(".5k"), 500);
  EXPECT_EQ(parse_byte_size("12B"), 12);
  EXPECT_EQ(parse_byte_size("1.1k"), 1'100);
  EXPECT_EQ(parse_byte_size("3TB"), 3'000'000'000'000);
}

TEST(ByteSize, TakesAnEAfterANumberForExaUnlessAnExponentFollows) {
  EXPECT_EQ(parse_byte_size("1EB"), 1'000'000'000'000'000'000);
  EXPECT_EQ(parse_byte_size("2EiB"), std::int64_t{1} << 61);
  EXPECT_EQ(parse_byte_size("2e3"), 2'000);
}

TEST(ByteSize, KeepsWholeNumbersExactUpToTheLargest) {
  EXPECT_EQ(parse_byte_size("9223372036854775807"), kMax);
  EXPECT_EQ(parse_byte_size("9007199254740993"), 9007199254740993);
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto bytes = static_cast<std::int64_t>(random() >> (1 + i % 63));
    EXPECT_EQ(parse_byte_size(std::to_string(bytes)), bytes);
  }
}

TEST(ByteSize, RefusesNonsenseWithTheTextAndAHint) {
  for (const char* text : {"",
                           " ",
                           "-1",
                           "-2GiB",
                           "GiB",
                           "2 XB",
                           "2GiBs",
                           "2GB2",
                           "two",
                           "nan",
                           "inf",
                           "infinity",
                           "0x10",
                           "1,5k",
                           "1.5",
                           "1e-3",
                           "9223372036854775808",
                           "8EiB",
                           "9.3EB",
                           "1e19",
                           "1e400",
                           "1e99999",
                           ".",
                           "..5k",
                           "+5",
                           "2 G B",
                           "5bb",
                           "5ii",
                           "1__0",
                           "\n5",
                           "100000000000 GiB"})
    expect_refused(text);
}

TEST(ByteSize, RandomBytesAreReadOrRefusedNeverAnythingElse) {
  const std::string letters = "0123456789.eE+-kKmMgGiIbB xn_,";
  std::mt19937 random(2);
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (auto n = random() % 7; n-- > 0;)
      text += letters[random() % letters.size()];
    try {
      EXPECT_GE(parse_byte_size(text), 0) << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument) << text;
    }
  }
}

TEST(ByteSize, WritesShortFormsForPeople) {
  EXPECT_EQ(format_byte_size(0), "0 B");
  EXPECT_EQ(format_byte_size(12), "12 B");
  EXPECT_EQ(format_byte_size(1023), "1023 B");
  EXPECT_EQ(format_byte_size(1024), "1 KiB");
  EXPECT_EQ(format_byte_size(117 * 1024), "117 KiB");
  EXPECT_EQ(format_byte_size((std::int64_t{3} << 30) / 2), "1.5 GiB");
  EXPECT_EQ(format_byte_size(std::int64_t{2} << 30), "2 GiB");
  EXPECT_EQ(format_byte_size((1 << 20) - 1), "1 MiB");
  EXPECT_EQ(format_byte_size((1 << 20) - 512), "1 MiB");
  EXPECT_EQ(format_byte_size(kMax), "8 EiB");
}

TEST(ByteSize, RoundsUpToFewDigits) {
  EXPECT_EQ(round_up_byte_size(1), "1B");
  EXPECT_EQ(round_up_byte_size(415'541), "406KiB");
  EXPECT_EQ(round_up_byte_size(14'336'634), "14MiB");
  EXPECT_EQ(round_up_byte_size((std::int64_t{14} << 20)), "14MiB");
  EXPECT_EQ(round_up_byte_size((std::int64_t{14} << 20) + 1), "15MiB");
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    const auto bytes = static_cast<std::int64_t>(random() >> (10 + i % 53));
    const std::string text = round_up_byte_size(bytes);
    EXPECT_GE(parse_byte_size(text), bytes) << text;
    EXPECT_LE(static_cast<double>(parse_byte_size(text)),
              1.1 * static_cast<double>(bytes) + 1)
        << text;
    EXPECT_LE(text.size(), 8u) << text;
  }
}

TEST(ByteSize, WhatIsWrittenReadsBackWithinFivePercent) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const auto bytes = static_cast<std::int64_t>(random() >> (2 + i % 62));
    const std::string text = format_byte_size(bytes);
    EXPECT_NEAR(static_cast<double>(parse_byte_size(text)),
                static_cast<double>(bytes), 0.05 * static_cast<double>(bytes))
        << text;
    EXPECT_LE(text.size(), 9u) << text;
  }
}

}  // namespace
}  // namespace rechunk

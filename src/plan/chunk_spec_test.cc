#include "plan/chunk_spec.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

#include "rechunk/error.h"

namespace rechunk {
namespace {

using Kind = ChunkLength::Kind;

const ChunkContext kClimate{.shape = {52560, 721, 1440},
                            .current_chunks = {24, 721, 1440},
                            .dimension_names = {"time", "lat", "lon"},
                            .item_bytes = 4};

Shape resolve(const std::string& text, const ChunkContext& context = kClimate) {
  return resolve_chunks(parse_chunk_spec(text), context);
}

/// The message of the invalid_argument that `action` throws, "" if none.
template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    EXPECT_FALSE(error.hint().empty()) << error.what();
    return error.what();
  }
  return "";
}

TEST(ChunkSpec, AListGivesALengthPerDimension) {
  EXPECT_EQ(resolve("2000,10,10"), (Shape{2000, 10, 10}));
  EXPECT_EQ(resolve(" 2000 , 10,10 "), (Shape{2000, 10, 10}));
  EXPECT_EQ(resolve("(2000, 10, 10)"), (Shape{2000, 10, 10}));
  EXPECT_EQ(resolve("[all,-1,10]"), (Shape{52560, 721, 10}));
  EXPECT_EQ(resolve("(5,)", {{9}, {3}, {}, 1}), (Shape{5}));
}

TEST(ChunkSpec, NamesChangeTheirDimensionAndKeepTheOthers) {
  EXPECT_EQ(resolve("time=all,lat=10"), (Shape{52560, 10, 1440}));
  EXPECT_EQ(resolve("lon=-1, time = 7"), (Shape{7, 721, 1440}));
  EXPECT_EQ(resolve("2=10"), (Shape{24, 721, 10}));
  EXPECT_EQ(resolve("0=all", {{9, 8}, {3, 3}, {}, 1}), (Shape{9, 3}));
}

TEST(ChunkSpec, ADimensionWhoseNameIsANumberWinsOverItsPosition) {
  const ChunkContext context{{9, 8}, {3, 3}, {"1", "0"}, 1};
  EXPECT_EQ(resolve("1=5", context), (Shape{5, 3}));
}

TEST(ChunkSpec, NamesMayHoldEqualSignsAndOtherLetters) {
  const ChunkContext context{{9, 8}, {3, 3}, {"a=b", "größe:x"}, 1};
  EXPECT_EQ(resolve("a=b=5,größe:x=all", context), (Shape{5, 8}));
  const ChunkContext odd{{9, 8}, {3, 3}, {"x, y", "c:\\z"}, 1};
  EXPECT_EQ(resolve("x\\, y=5,c:\\\\z=7", odd), (Shape{5, 7}));
  EXPECT_EQ(resolve("c:\\z=all,x\\, y=2", odd), (Shape{2, 8}));
}

TEST(ChunkSpec, AllMeansEveryAxisOfAnyRank) {
  EXPECT_EQ(resolve("all"), kClimate.shape);
  EXPECT_EQ(resolve("-1"), kClimate.shape);
  EXPECT_EQ(resolve("all", {{}, {}, {}, 8}), Shape{});
  EXPECT_EQ(resolve("auto", {{}, {}, {}, 8}), Shape{});
}

TEST(ChunkSpec, GivenAndKeptLengthsMayBeLongerThanTheAxis) {
  const ChunkContext context{{9, 0, 3}, {4, 5, 512}, {"a", "b", "c"}, 1};
  EXPECT_EQ(resolve("100,100,100", context), (Shape{100, 100, 100}));
  EXPECT_EQ(resolve("100,-1,all", context), (Shape{100, 1, 3}));
  EXPECT_EQ(resolve("all", context), (Shape{9, 1, 3}));
  EXPECT_EQ(resolve("a=7", context), (Shape{7, 5, 512}));
  EXPECT_EQ(resolve("auto", context), (Shape{9, 1, 3}));
}

TEST(ChunkSpec, AppliesWhereItSaysSomethingAboutTheArray) {
  const ChunkContext scalar{{}, {}, {}, 8};
  const ChunkContext unnamed{{7, 5}, {1, 1}, {}, 8};
  EXPECT_TRUE(applies_to(parse_chunk_spec("1,2,3"), kClimate));
  EXPECT_FALSE(applies_to(parse_chunk_spec("1,2"), kClimate));
  EXPECT_TRUE(applies_to(parse_chunk_spec("depth=1,lat=2"), kClimate));
  EXPECT_FALSE(applies_to(parse_chunk_spec("depth=1"), kClimate));
  EXPECT_FALSE(applies_to(parse_chunk_spec("lat=2"), unnamed));
  EXPECT_TRUE(applies_to(parse_chunk_spec("1=2"), unnamed));
  EXPECT_FALSE(applies_to(parse_chunk_spec("2=2"), unnamed));
  EXPECT_TRUE(applies_to(parse_chunk_spec("auto"), scalar));
}

TEST(ChunkSpec, RestrictedToAnArrayForgetsTheNamesOfOthers) {
  const ChunkSpec spec = parse_chunk_spec("depth=1,lat=2,station=all");
  EXPECT_EQ(resolve_chunks(restricted_to(spec, kClimate), kClimate),
            (Shape{24, 2, 1440}));
  const ChunkSpec other = parse_chunk_spec("depth=1");
  EXPECT_EQ(resolve_chunks(restricted_to(other, kClimate), kClimate),
            kClimate.current_chunks);
}

TEST(ChunkSpec, AnUnknownNameIsRefusedWithTheNamesThereAre) {
  const std::string message = refusal([] { resolve("tme=all,lat=10"); });
  EXPECT_NE(message.find("\"tme\""), std::string::npos) << message;
  EXPECT_NE(message.find("time, lat, lon"), std::string::npos) << message;
  const ChunkContext unnamed{{7, 5}, {1, 1}, {}, 8};
  EXPECT_NE(refusal([&] { resolve("x=1", unnamed); }).find("2 dimensions"),
            std::string::npos);
  EXPECT_NE(refusal([] { resolve("3=1"); }), "");
}

TEST(ChunkSpec, AWrongNumberOfDimensionsIsRefused) {
  EXPECT_NE(refusal([] { resolve("10,10"); }).find("2 given for 3"),
            std::string::npos);
  EXPECT_NE(refusal([] { resolve("1,1,1,1"); }), "");
  EXPECT_NE(refusal([] { resolve("5", {{}, {}, {}, 1}); }), "");
  EXPECT_NE(refusal([] { resolve("time=1,0=2"); }), "");
}

TEST(ChunkSpec, NonsenseIsRefusedAndQuoted) {
  for (const std::string text : {"",
                                 " ",
                                 "()",
                                 "[]",
                                 ",",
                                 "1,",
                                 ",1",
                                 "1,,2",
                                 "0",
                                 "-2",
                                 "1,0",
                                 "x",
                                 "10,x",
                                 "1.5",
                                 "1e3",
                                 "1,time=2",
                                 "time=1,2",
                                 "=1",
                                 "time=",
                                 "time=0",
                                 "time==",
                                 "time=1,time=2",
                                 "auto:",
                                 "auto:x",
                                 "auto:0",
                                 "auto:-1",
                                 "auto:1MB,auto:2MB",
                                 "(1,2",
                                 "1,2)",
                                 "((1,2))",
                                 "all:3",
                                 "ALL",
                                 "+5",
                                 "9223372036854775808",
                                 "{1,2}",
                                 "none",
                                 "1;2"}) {
    const std::string message = refusal([&] { parse_chunk_spec(text); });
    EXPECT_NE(message.find("\"" + text + "\""), std::string::npos)
        << "\"" << text << "\": " << message;
  }
}

TEST(ChunkSpec, RandomTextIsReadOrRefusedNeverAnythingElse) {
  const std::string letters = "0123456789-,=:() []aluto MBx";
  std::mt19937 random(4);
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    for (auto n = random() % 12; n-- > 0;)
      text += letters[random() % letters.size()];
    try {
      const ChunkSpec spec = parse_chunk_spec(text);
      EXPECT_EQ(!spec.by_position.empty() + !spec.by_name.empty() +
                    spec.everywhere.has_value(),
                1)
          << text;
      const Shape chunks = resolve_chunks(spec, kClimate);
      for (std::size_t axis = 0; axis < chunks.size(); ++axis)
        EXPECT_TRUE(chunks[axis] >= 1) << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument) << text;
    }
  }
}

TEST(ChunkSpec, RandomListsReadBackAsWritten) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 2'000; ++i) {
    ChunkContext context;
    std::string list, named;
    Shape expected;
    const auto rank = 1 + random() % 8;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const auto length = static_cast<std::int64_t>(random() >> (1 + i % 63));
      const bool all = random() % 4 == 0;
      context.shape.push_back(length);
      context.current_chunks.push_back(1);
      context.dimension_names.push_back("d" + std::to_string(axis));
      expected.push_back(
          std::max<std::int64_t>(1, all ? length : length - length / 3));
      const std::string word = all ? "all" : std::to_string(expected.back());
      list += (axis ? "," : "") + word;
      // Names in reverse order, since their order must not matter.
      named = context.dimension_names.back() + "=" + word + (axis ? "," : "") +
              named;
    }
    EXPECT_EQ(resolve(list, context), expected) << list;
    EXPECT_EQ(resolve(named, context), expected) << named;
  }
}

/// What "auto" promises, where every axis is free.
void expect_good_auto(const ChunkContext& context, const Shape& chunks,
                      std::int64_t auto_bytes) {
  // Exact below 2^64, which is all that the comparisons need.
  auto chunk_bytes = static_cast<long double>(context.item_bytes);
  bool single = true, whole = true;
  for (std::size_t axis = 0; axis < chunks.size(); ++axis) {
    chunk_bytes *= static_cast<long double>(chunks[axis]);
    single = single && chunks[axis] == 1;
    const auto length = std::max<std::int64_t>(1, context.shape[axis]);
    whole = whole && chunks[axis] == length;
    const auto pieces = ceil_div(length, chunks[axis]);
    EXPECT_EQ(chunks[axis], ceil_div(length, pieces)) << "uneven cuts";
  }
  EXPECT_TRUE(chunk_bytes <= static_cast<long double>(auto_bytes) || single)
      << to_string(chunks);
  EXPECT_TRUE(chunk_bytes > static_cast<long double>(auto_bytes / 4) || whole)
      << to_string(chunks);
}

TEST(ChunkSpec, AutoStaysBelowItsSizeAndAboveAQuarterOfIt) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 20'000; ++i) {
    ChunkContext context;
    const auto rank = 1 + random() % 6;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      context.shape.push_back(
          static_cast<std::int64_t>(random() >> (4 + random() % 60)));
      context.current_chunks.push_back(1);
    }
    context.item_bytes = 1 + static_cast<std::int64_t>(random() % 16);
    const auto auto_bytes =
        1 + static_cast<std::int64_t>(random() >> (2 + random() % 62));
    const Shape chunks = resolve("auto:" + std::to_string(auto_bytes), context);
    SCOPED_TRACE(to_string(context.shape) + " in " +
                 std::to_string(auto_bytes) + ": " + to_string(chunks));
    expect_good_auto(context, chunks, auto_bytes);
  }
}

TEST(ChunkSpec, AutoCutsAxesIntoAboutTheSameNumberOfParts) {
  const Shape chunks = resolve("auto");
  expect_good_auto(kClimate, chunks, 64 << 20);
  std::int64_t fewest = std::numeric_limits<std::int64_t>::max(), most = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto pieces = ceil_div(kClimate.shape[axis], chunks[axis]);
    fewest = std::min(fewest, pieces);
    most = std::max(most, pieces);
  }
  EXPECT_LE(most - fewest, 1) << to_string(chunks);
}

TEST(ChunkSpec, AutoOfOneDimensionTakesTheOthersAsGiven) {
  EXPECT_EQ(resolve("time=auto:100MB,lat=10,lon=10"), (Shape{52560, 10, 10}));
  const Shape small = resolve("time=auto:1MB,lat=10,lon=10");
  EXPECT_EQ(small[1], 10);
  EXPECT_LE(small[0] * 400, 1'000'000);
  EXPECT_GT(small[0] * 400, 500'000);
  EXPECT_EQ(resolve("time=auto:1kB"), (Shape{1, 721, 1440}));
  EXPECT_EQ(resolve("auto:64MiB,all,all")[0], 16);
}

}  // namespace
}  // namespace rechunk

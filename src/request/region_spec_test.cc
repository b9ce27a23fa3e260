#include "request/region_spec.h"

#include <gtest/gtest.h>

#include <random>

#include "rechunk/error.h"

namespace rechunk {
namespace {

const Shape kShape = {40, 30, 20};
const std::vector<std::string> kNames = {"time", "", "x"};

Region resolve(const std::string& text) {
  return resolve_region(parse_region(text), kNames, kShape);
}

TEST(RegionSpec, NamesDimensionsByNameOrByNumber) {
  EXPECT_EQ(resolve("all"), whole(kShape));
  EXPECT_EQ(resolve("time=3:7"), (Region{{3, 0, 0}, {7, 30, 20}}));
  EXPECT_EQ(resolve("x=5:,1=:9"), (Region{{0, 0, 5}, {40, 9, 20}}));
  EXPECT_EQ(resolve("0=:"), whole(kShape));
  EXPECT_EQ(resolve("level=1:2"), whole(kShape));  // Of another array.
  EXPECT_EQ(parse_region("a=b=1:2")[0].dimension, "a=b");
}

TEST(RegionSpec, RefusesWhatIsNoRangeOrBeyondTheArray) {
  for (const char* text :
       {"", "time", "time=3", "=1:2", "time=a:b", "time=-1:2", "time=1:2,",
        "time=1:2,time=3:4", "time=99999999999999999999:", "all,x=1:2"})
    EXPECT_THROW(parse_region(text), Error) << text;
  for (const char* text : {"time=3:3", "time=7:3", "time=0:41", "x=20:"})
    EXPECT_THROW(resolve(text), Error) << text;
}

TEST(RegionSpec, AlignsOutwardsAndEndsWithTheArray) {
  std::mt19937_64 random(7);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  for (int number = 0; number < 1000; ++number) {
    Region region;
    Shape shape, steps;
    for (int axis = 0; axis < 3; ++axis) {
      shape.push_back(pick(1, 50));
      steps.push_back(pick(1, 60));
      region.start.push_back(pick(0, shape[axis] - 1));
      region.stop.push_back(pick(region.start[axis] + 1, shape[axis]));
    }
    const Region result = aligned(region, steps, shape);
    EXPECT_TRUE(result.contains(region));
    for (std::size_t axis = 0; axis < 3; ++axis) {
      EXPECT_EQ(result.start[axis] % steps[axis], 0);
      EXPECT_GT(result.start[axis] + steps[axis], region.start[axis]);
      EXPECT_LT(result.stop[axis] - steps[axis], region.stop[axis]);
      EXPECT_TRUE(result.stop[axis] % steps[axis] == 0 ||
                  result.stop[axis] == shape[axis]);
    }
    EXPECT_EQ(aligned(result, steps, shape), result);
  }
}

TEST(RegionSpec, IsWrittenAsItIsRead) {
  for (const char* text : {"all", "time=3:7", "time=3:7,1=0:9,x=5:20"})
    EXPECT_EQ(region_text(resolve(text), kNames, kShape), text);
}

}  // namespace
}  // namespace rechunk
